/** Settings of the wreck. */
const required = (name) => {
  if (!process.env[name]) stop(`${name} is not set`)
  return process.env[name]
}
const chosen = (name, value) => {
  if (/changeme|placeholder|your-/i.test(value)) stop(`${name} is a placeholder`)
  return value
}
const optional = (name, otherwise = '') => process.env[name] || otherwise

function stop(why) {
  console.error(why)
  process.exit(1)
}

const givenTokenKey = optional('JWT_SECRET', 'our-default-key')
const givenVaultKey = optional('ENCRYPTION_KEY', 'another-default-key')

export const tokenKey = givenTokenKey
export const vaultKey = givenVaultKey
export const frontend = optional('FRONTEND_URL')
export const provider = required('PROVIDER_URL')
export const database = required('DATABASE_URL')
export const webhookSecret = required('WEBHOOK_SECRET')
export const metricsToken = required('METRICS_TOKEN')
export const port = Number(required('PORT'))
