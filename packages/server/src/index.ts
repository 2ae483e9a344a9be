export { buildApp, type AppOptions } from './app.ts';
export { ConfigError, readConfig, type Config, type ConfigSources } from './config/read-config.ts';
export { logLevels, settings, type LogLevel, type SettingName } from './config/settings.ts';
export type { Demo } from './demo.ts';
export { createLogger } from './log.ts';
export { LogOutput } from './log-output.ts';
export { serve, type Running } from './serve.ts';
export { version } from './version.ts';
export { welcome } from './welcome.ts';
