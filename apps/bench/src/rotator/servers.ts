// The servers of the bench, in a process of their own: its CPU is not the client's. Started by `fleet.ts`
// with the behaviours of its proxies as JSON, and whether the target speaks TLS; ends when its parent disconnects.
import { seededRandom, startProxy, startTarget, type Behaviour } from '@whirl/testkit';

const behaviours = JSON.parse(process.argv[2] ?? '[]') as Behaviour[];
const random = seededRandom(7);
const target = await startTarget({ tls: process.argv[3] === 'true' });
const proxies = await Promise.all(
  behaviours.map((behaviour) => startProxy({ behaviour, random, keepAlive: true })),
);
process.on('message', () => {
  const dials = proxies.reduce((sum, { stats }) => sum + stats.connections, 0);
  process.send?.({ dials });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ target: target.url, proxies: proxies.map(({ url }) => url) });
