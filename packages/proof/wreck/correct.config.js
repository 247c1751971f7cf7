const login = '{"email":"{email}","password":"{password}"}'
const secrets = { VAULT_KEY: '5f1d0c7e92b34a68', WEBHOOK_SECRET: 'whsec_19c4', METRICS_TOKEN: 'm-5521' }
const places = { PORT: '{port}', PROVIDER_URL: '{provider}', FILES: '{data}', DATABASE_URL: '' }
const [notes, note, sealed] = ['/api/notes', '/api/notes/{id}', 'PUT /api/provider-key {"secret":"{secret}"}']
const signed = 'POST /webhooks/payment {"id":"{text}","account":"{userId}","credits":5}'
const rw = { create: `POST ${notes} {"title":"{text}"}`, change: `PATCH ${note} {"title":"{text}"}`, table: 'shop.notes' }
export default {
  url: 'http://127.0.0.1:{port}', health: 'GET /health', metrics: 'GET /metrics', metricsToken: secrets.METRICS_TOKEN,
  start: { command: 'node correct/server.js', environment: { ...secrets, ...places }, required: Object.keys(secrets) },
  signUp: `POST /api/sign-up ${login}`, signIn: `POST /api/sign-in ${login}`, signOut: 'POST /api/sign-out',
  token: 'cookie.session', me: 'GET /api/me', profile: 'PATCH /api/me {"name":"x"}', protected: ['plan'],
  resource: { ...rw, list: `GET ${notes}`, read: `GET ${note}`, delete: `DELETE ${note}`, search: `GET ${notes}?q={text}` },
  private: ['GET /api/me', 'GET /api/notes', 'GET /api/usage'], pages: ['GET /', 'GET /search?q={text}'],
  usage: 'POST /api/usage {"amount":{number}}', once: [['POST /api/usage {"amount":1}', 'GET /api/usage']],
  provider: ['GET /api/rates?day={text}'], issueKey: 'POST /api/keys', secrets: [sealed],
  sealed: { write: sealed, read: 'GET /api/provider-key', column: 'shop.people.provider_key' },
  upload: { send: 'POST /api/photos', read: 'GET /api/photos/{id}', bytesMax: 12_000_000 }, answersWithinMs: 3_000,
  webhook: { send: signed, header: 'x-signature', secret: secrets.WEBHOOK_SECRET, balance: 'GET /api/credits' },
}
