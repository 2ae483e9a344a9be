import { joinFleet, memoryStore } from '../index.ts';
import { SimulatedPool } from './simulated-pool.ts';

// Joins a fleet, tells that it has, and does nothing more.
const pool = new SimulatedPool({ now: Date.now, random: Math.random, ids: ['a'] });
// Keeps the process alive until then.
const waiting = setInterval(() => {}, 1000);
pool.bus.on('fleet:joined', () => {
  clearInterval(waiting);
  process.send?.('joined', () => process.disconnect());
});
joinFleet({ rotator: pool, store: memoryStore(), pool: 'p' });
