import { Option, type Command } from 'commander';
import { addPoolOptions, passwordHint } from '../pool/options.ts';
import type { Run } from '../terminal/run.ts';
import {
  collect,
  parseDuration,
  parseInteger,
  parseStatuses,
  parseUrl,
} from '../terminal/arguments.ts';
import type { BenchOptions } from './bench.ts';

const examples = `
Measures what a program would get from this pool: with retries, failover and circuits, connections
kept open. The target sees every request: take one of yours. Ctrl-C ends it with the figures so
far, and exit code 130.

${passwordHint}

Examples:
  whirl bench https://api.example.com/ --proxies-file proxies.txt -n 1000 -c 100
  whirl bench https://api.example.com/ --proxies-file proxies.txt -z 30s --retries 0
  whirl bench https://api.example.com/ --proxies-file proxies.txt --format json | jq .latency_ms`;

/** Adds `whirl bench`. */
export function addBench(program: Command, run: Run): void {
  const command = program
    .command('bench')
    .summary('measure a pool: rate, success, latency, attempts')
    .description(
      'Sends many requests through a pool, and says how many came through, how fast, and by which proxies.',
    )
    .argument('<url>', 'what to ask for', parseUrl);
  addPoolOptions(command)
    .option('-n, --requests <number>', 'how many (default: 200)', parseInteger(1, 1e9))
    .option('-z, --duration <time>', 'instead: as many as fit into this time', parseDuration)
    .option('-c, --concurrency <number>', 'requests at once', parseInteger(1, 100_000), 50)
    .option('-X, --request <method>', 'default: GET, with -d POST')
    .option('-H, --header <line>', '"name: value"; may be repeated', collect)
    .option('-d, --data <data>', 'the body: a string, @file, or @- for stdin', collect)
    .addOption(
      new Option('--expect-status <statuses>', 'which are a success: 200, 2xx, 200-399, or a list')
        .argParser(parseStatuses)
        .default(parseStatuses('200-399'), '200-399'),
    )
    .addOption(
      new Option('-m, --max-time <time>', 'for each request')
        .argParser(parseDuration)
        .default(30_000, '30s'),
    )
    .option('--retries <number>', 'further attempts of a request', parseInteger(0, 9), 2)
    .addOption(
      new Option('-f, --format <format>', 'of the figures')
        .choices(['text', 'json'])
        .default('text'),
    )
    .option('-q, --quiet', 'no bar')
    .addHelpText('after', examples)
    .action((url: URL, options: BenchOptions) =>
      run(async (terminal) => (await import('./bench.ts')).bench(url, options, terminal)),
    );
}
