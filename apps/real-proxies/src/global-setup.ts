import { startNameServer } from './name-server.ts';
import { namespaces } from './namespaces.ts';

/** In private namespaces every proxy asks this name server. */
export default async function setup(): Promise<(() => void) | undefined> {
  if (!namespaces) return undefined;
  const server = await startNameServer();
  return () => server.close();
}
