import { Option, type Command } from 'commander';
import { UsageError } from '../usage-error.ts';
import {
  parseDuration,
  parseHostPort,
  parseInteger,
  parseStatuses,
  parseUrl,
} from '../terminal/arguments.ts';
import type { Run } from '../terminal/run.ts';
import type { CheckOptions } from './check.ts';

const examples = `
Each proxy is tested alone, with one connection of its own. A line is good when the response of the
target came through with the expected status and body. There is no built-in target: name one of
yours, which sees a request for each line. One that tells the caller's address fills the exit IP.

Results go to stdout, the bar and the summary to stderr. Exit code: 0 if at least --min-ok work, 1
if fewer do, 2 for a list that cannot be read, 130 after Ctrl-C (with the results so far).

Examples:
  whirl check proxies.txt --url https://api.example.com/health
  whirl check proxies.txt --url http://example.com/ --expect-body 'Example Domain' --only ok
  whirl check - --url https://api.example.com/ip --format ndjson < proxies.txt | jq .exit_ip
  whirl check proxies.txt --connect example.com:443 --protocol socks5 --sort latency
  whirl check proxies.txt --url https://api.example.com/ --format plain --show-passwords > good.txt`;

/** Adds `whirl check`. */
export function addCheck(program: Command, run: Run): void {
  program
    .command('check')
    .summary('test every proxy of a list')
    .description(
      'Tests every proxy of a list, and says which work, how fast, and why the others do not.',
    )
    .argument('<list>', 'file with proxies, in any form of docs/lists.md; - reads stdin')
    .option('-u, --url <url>', 'what to ask for through each proxy', parseUrl)
    .option('--connect <host:port>', 'instead: only open a tunnel there', parseHostPort)
    .addOption(
      new Option('--expect-status <statuses>', 'which are good: 200, 2xx, 200-399, or a list')
        .argParser(parseStatuses)
        .default(parseStatuses('200'), '200'),
    )
    .option('--expect-body <text>', 'what the body must hold, in its first megabyte')
    .addOption(
      new Option('-t, --timeout <time>', 'for each test in all: 500ms, 10s')
        .argParser(parseDuration)
        .default(10_000, '10s'),
    )
    .option('-c, --concurrency <number>', 'tests at once', parseInteger(1, 100_000), 200)
    .option('--attempts <number>', 'tests of a proxy that fails', parseInteger(1, 10), 1)
    .addOption(
      new Option('--protocol <protocol>', 'of lines that name none')
        .choices(['auto', 'http', 'https', 'socks4', 'socks5'])
        .default('auto', 'auto: found out'),
    )
    .option('--list-format <format>', 'how lines are written, such as host:port:region')
    .option('--skip-invalid', 'leave out lines that are not proxies, and name them')
    .addOption(
      new Option('-f, --format <format>', 'of the results; plain has the proxies that work')
        .choices(['table', 'json', 'ndjson', 'csv', 'plain'])
        .default('table'),
    )
    .addOption(new Option('--only <which>', 'of the results').choices(['ok', 'bad']))
    .addOption(
      new Option('--sort <order>', 'of the results (default: line; ndjson: as they come)').choices([
        'latency',
        'line',
      ]),
    )
    .option('--min-ok <number>', 'how many must work for exit code 0', parseInteger(0, 1e9), 1)
    .option('-o, --output <file>', 'write the results there')
    .option('-q, --quiet', 'no bar and no summary')
    .option('--show-passwords', 'do not mask them')
    .addHelpText('after', examples)
    .action((list: string, options: CheckOptions) =>
      run(async (terminal) => {
        if (options.url === undefined && options.connect === undefined) {
          throw new UsageError(
            '--url is required: name a target of yours (or test the tunnel alone with --connect host:port)',
          );
        }
        if (options.url !== undefined && options.connect !== undefined) {
          throw new UsageError('--url and --connect exclude each other');
        }
        const { check } = await import('./check.ts');
        return check(list, options, terminal);
      }),
    );
}
