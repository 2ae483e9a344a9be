import { Option, type Command } from 'commander';
import { addListOptions, passwordHint } from '../pool/options.ts';
import type { Run } from '../terminal/run.ts';
import { collect, parseListen } from '../terminal/arguments.ts';
import type { ServeOptions } from './serve.ts';

const examples = `
The gateway is a proxy server for every client that takes the address of one: it fails over inside
each tunnel. The page and the REST API show and change the pool. The file with proxies is watched.

Every variable and the JSON file of the server are obeyed (WHIRL_API_TOKEN, WHIRL_DENY_TARGETS,
retry_policy, …); what is on the command line goes first. The log, JSON where stderr is no
terminal, goes to stderr, and what to paste to stdout. Ctrl-C, SIGTERM and SIGHUP let requests
finish.

${passwordHint}

Examples:
  whirl serve --proxies-file proxies.txt
  whirl serve --proxies http://p1.example.com:8080,socks5://p2.example.com --api off
  whirl check proxies.txt --url https://example.com/ -f plain --show-passwords |
    whirl serve --proxies-file -
  whirl serve --proxies-file proxies.txt --gateway 0.0.0.0:8001 --gateway-auth-file clients.txt`;

/** Adds `whirl serve`. */
export function addServe(program: Command, run: Run): void {
  const command = program
    .command('serve')
    .summary('serve a pool: a gateway, a REST API and a page')
    .description('Serves a pool of proxies: a gateway for every client, a REST API and a page.');
  addListOptions(command)
    .addOption(
      new Option(
        '--gateway <host:port>',
        'where it listens, or off (default: 127.0.0.1:8001)',
      ).argParser(parseListen),
    )
    .addOption(
      new Option(
        '--api <host:port>',
        'of the API and the page, or off (default: 127.0.0.1:8000)',
      ).argParser(parseListen),
    )
    .option(
      '--gateway-auth <name:password>',
      'of a client of the gateway; may be repeated',
      collect,
    )
    .option('--gateway-auth-file <file>', 'a file with such lines')
    .option('--api-token-file <file>', 'a file that holds the bearer token of the API')
    .option('--redis <url>', 'where servers with the same pool meet, and learn together')
    .option('--fleet-pool <name>', 'the name of that pool (default: default)')
    .option('--config <file>', 'JSON file with settings of the server')
    .addOption(
      new Option('--log-level <level>', 'debug shows every attempt (default: warn)').choices([
        ...['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      ]),
    )
    .addHelpText('after', examples)
    .action(({ protocol, ...options }: ServeOptions, self: Command) => {
      // What is not on the command line may stand in the environment or the file.
      const named = self.getOptionValueSource('protocol') === 'cli' && protocol !== undefined;
      const given = { ...options, ...(named ? { protocol } : {}) };
      run(async (terminal) => (await import('./serve.ts')).serve(given, terminal));
    });
}
