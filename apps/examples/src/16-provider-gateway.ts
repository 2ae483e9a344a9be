// A provider's gateway as a pool: exits that are refused get a new session within the request.
import { banTarget, ProxyRotator } from '@whirl/rotator';
import { startExitGateway, startTarget } from '@whirl/testkit';
import { bad, good, inTurn, say } from './stage.ts';

const target = await startTarget();
// The provider: of its first four exits two are banned by the target.
let sessions = 0;
const gateway = await startExitGateway({
  fate: () => (++sessions <= 4 && sessions % 2 === 0 ? 'banned' : 'ok'),
});

const rotator = new ProxyRotator({
  proxies: [
    {
      url: `http://customer-U-sessid-{session}:pw@${gateway.host}:${gateway.port}`,
      exits: 4,
      id: 'gate',
    },
  ],
  banRules: [
    {
      name: 'refused',
      judge: ({ statusCode }) => (statusCode === 403 ? banTarget(60_000) : undefined),
    },
  ],
  retryPolicy: { failoverDelay: 'none' },
  strategy: inTurn(),
});
rotator.bus.on('proxy:renewed', ({ proxyId, reason }) =>
  say(`  ${proxyId} has a new session: ${reason}`),
);

for (let i = 1; i <= 6; i++) {
  const { statusCode, proxyId, attempts, body } = await rotator.get(target.url);
  await body.dump();
  say(good(`request ${i}: status ${statusCode} through ${proxyId}, attempt ${attempts.length}`));
}

say(bad('the gateway itself goes down'));
await gateway.mood('down');
rotator.retryPolicy = { maxAttempts: 1 };
let tried = 0;
rotator.bus.on('attempt:start', () => tried++);
for (let i = 0; i < 20; i++) await rotator.get(target.url).catch(() => {});
const [{ group, exits } = {}] = rotator.proxies();
say(`20 requests, ${tried} attempts: the group ${group?.name} is ${group?.state}`);
say(`${exits?.count} exits, ${exits?.available} available, ${exits?.renewed} renewed`);

await rotator.close();
await gateway.close();
await target.close();
