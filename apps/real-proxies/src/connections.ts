import { readFile } from 'node:fs/promises';

/**
 * How many sockets a process holds that are connected, or connecting, to a port: the clients' ends of
 * what goes on there. What only the kernel still remembers (TIME_WAIT and the like) belongs to no
 * process, has the inode 0 and is not counted.
 */
export async function connectionsTo(port: number): Promise<number> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let count = 0;
  for (const table of ['tcp', 'tcp6']) {
    const rows = (await readFile(`/proc/self/net/${table}`, 'utf8')).split('\n').slice(1);
    for (const row of rows) {
      const [, , remote, , , , , , , inode = '0'] = row.trim().split(/\s+/);
      if (remote?.endsWith(suffix) === true && inode !== '0') count++;
    }
  }
  return count;
}
