/** What stands for a password. */
export const mask = '***';
