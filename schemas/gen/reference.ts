export async function referencePages(): Promise<Map<string, string>> { return new Map(); }
