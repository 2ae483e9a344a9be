export { warmStart, type WarmStart, type WarmStartOptions } from './file/warm-start.ts';
