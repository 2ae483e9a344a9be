import type { Software } from './software.ts';

/** SOCKS 5 alone, configured by arguments. */
export const microsocks: Software = {
  name: 'microsocks',
  debianPackage: 'microsocks',
  executable: 'microsocks',
  launch({ host, port, credentials }) {
    const known =
      credentials === undefined ? [] : ['-u', credentials.username, '-P', credentials.password];
    return { args: ['-i', host, '-p', String(port), ...known] };
  },
};
