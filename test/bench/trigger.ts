export const measureTrigger = async (_url: string): Promise<object> => ({});
