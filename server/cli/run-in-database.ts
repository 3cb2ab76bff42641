export const runInDatabase = async (_: unknown): Promise<never> => { throw new Error("not written yet"); };
