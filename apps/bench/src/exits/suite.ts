import { printTable } from '../table.ts';
import { costOfExits } from './cost.ts';
import { deadGateway, unreliableExits } from './world.ts';

/**
 * A provider's gateway on loopback, 30 % of whose exits are bad at any time: gone, or banned by the one target. Then one
 * that dies for a while, and what ten thousand exits cost before the first request.
 */
export async function run(): Promise<void> {
  const ways = [
    { way: 'one session, as one proxy', exits: 0, renew: true },
    { way: '20 exits, renew: false', exits: 20, renew: false },
    { way: '20 exits', exits: 20, renew: true },
    { way: '10,000 exits', exits: 10_000, renew: true },
  ];
  const rows = [];
  for (const { way, ...wish } of ways) rows.push({ way, ...(await unreliableExits(wish)) });
  printTable('30 % of exits bad at any time, bans by one target, three attempts', rows);
  const deaths = [];
  for (const exits of [20, 10_000]) deaths.push(await deadGateway(exits));
  printTable('A gateway that dies for 30 s and longer: 100 requests in each open period', deaths);
  printTable('Before the first request (medians of 5)', await costOfExits(10_000));
}
