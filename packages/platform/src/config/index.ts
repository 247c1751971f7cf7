/** From environment to typed settings and secrets. The only room that reads the environment. */
export { addressOf } from './admin-address.ts'
export {
  blankEnvironment,
  type Config,
  ConfigError,
  type ConfigFault,
  lookAtConfig,
  type RecoverySettings,
  readConfig,
  readRecoverySettings,
  type SeenConfig,
} from './config.ts'
export { childEnvironment, type Environment } from './env.ts'
export { forgetKeptDatabase, type KeptDatabase, keepDatabase, readKeptDatabase } from './kept-database.ts'
export { describeSetting, renderEnvExample, renderSettingsTable, type SettingDescription } from './reference.ts'
export { readOrMakeSecret, readSecretFile, replaceSecret } from './secrets.ts'
