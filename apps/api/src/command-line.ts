import { Command, Option } from 'commander';
import { logLevels, settings, version, type SettingName } from '@whirl/server';

/** What the flags say, by setting. */
export type Flags = Partial<Record<SettingName | 'config', unknown>>;

/** The command line of the server. Commander prints `--help` and refuses unknown flags. */
export function createCommand(): Command {
  return new Command('whirl-api')
    .description('Sends HTTP requests through a pool of unreliable proxies, and shows what it did.')
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ helpWidth: 100 })
    .allowExcessArguments(false)
    .showHelpAfterError('(--help shows every flag)')
    .option('-c, --config <file>', 'JSON file with settings')
    .option('--host <address>', 'address to bind (default: 127.0.0.1; others need a token)')
    .option('--port <number>', 'port to bind, 0 picks a free one (default: 8000)')
    .option('--token-file <file>', 'file that holds the bearer token')
    .option('--allowed-hosts <names>', 'further names accepted in the Host header')
    .option('--trust-proxy <addresses>', 'reverse proxies whose X-Forwarded-* are believed')
    .option('--proxies <list>', 'proxies separated by commas')
    .option('--proxies-file <file>', 'proxies, one a line or as JSON; watched for changes')
    .option('--proxies-format <format>', 'how its lines are written, such as host:port:region')
    .option(
      '--proxies-default-protocol <protocol>',
      'of its entries that name none (default: http)',
    )
    .option('--proxies-on-invalid <throw|skip>', 'what is no proxy in it (default: throw)')
    .option('--allow-proxies <rules>', 'the only hosts where proxies may stand')
    .option('--deny-proxies <rules>', 'where none may (link-local and metadata never; none: may)')
    .option('--allow-targets <rules>', 'the only hosts that may be asked')
    .option(
      '--deny-targets <rules>',
      'hosts that may not (link-local and metadata never; none: may)',
    )
    .option('--demo [on|off]', 'embedded fleet of flaky proxies (default: on without proxies)')
    .addOption(new Option('--no-demo').hideHelp())
    .option('--dashboard [on|off]', 'the page at / (default: on)')
    .addOption(new Option('--no-dashboard').hideHelp())
    .option('--api [on|off]', 'the REST API and the page (default: on)')
    .addOption(new Option('--no-api').hideHelp())
    .option('--gateway [on|off]', 'the proxy server over the pool (default: on)')
    .addOption(new Option('--no-gateway').hideHelp())
    .option('--gateway-host <address>', 'its address (default: 127.0.0.1; others need credentials)')
    .option('--gateway-port <number>', 'its port, 0 picks a free one (default: 8001)')
    .option('--gateway-auth-file <file>', 'name:password of its clients, one a line')
    .option('--log-level <level>', `${logLevels.join(', ')} (default: info)`)
    .option('--shutdown-timeout <seconds>', 'time for running requests to finish (default: 5)')
    .addHelpText('after', () => {
      const rows = Object.values(settings).map((setting) => [
        setting.variable,
        'flag' in setting ? `--${setting.flag}` : '(no flag: others would see it)',
        setting.field,
      ]);
      const lines = [['variable', 'flag', 'field of the file'], ...rows].map(
        ([variable = '', flag = '', field = '']) =>
          `  ${variable.padEnd(25)}${flag.padEnd(33)}${field}`,
      );
      return [
        '',
        'A flag wins over the environment, the environment over the file (--config or',
        'WHIRL_CONFIG), the file over the default. An empty variable is unset.',
        '',
        ...lines,
        '',
        'Examples:',
        '  whirl-api                                     # the demo fleet',
        '  whirl-api --proxies http://user:pass@p1:8080,socks5://p2:1080',
        '  whirl-api --proxies-file proxies.txt --port 9000',
      ].join('\n');
    });
}

/** Reads the flags; exits through commander when they cannot be understood. */
export function parseFlags(argv: readonly string[], command = createCommand()): Flags {
  command.parse(argv, { from: 'user' });
  return command.opts<Flags>();
}
