export { deniedByDefault } from './config/denied-by-default.ts';
export { ConfigError } from './config-error.ts';
export { readConfig, type Config, type ConfigSources } from './config/read-config.ts';
export {
  logLevels,
  settings,
  type LogLevel,
  type Setting,
  type SettingName,
} from './config/settings.ts';
export type { Demo } from './demo.ts';
export { ListenError, type Listener } from './listen-error.ts';
export { createLogger } from './log.ts';
export { LogOutput, type LogOutputOptions, type WriteBytes } from './log-output.ts';
export type { ListSettings } from './proxies/proxy-list.ts';
export type { ApiSettings, GatewaySettings, ServerOptions } from './config/server-options.ts';
export { startServer, type Server } from './start-server.ts';
export { version } from './version.ts';
