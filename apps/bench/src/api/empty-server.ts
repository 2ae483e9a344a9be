// A process of its own: the API over an empty pool, as it is after a start.
import { serve } from './served.ts';

const { address } = await serve([]);
process.send?.(address);
process.on('disconnect', () => process.exit());
