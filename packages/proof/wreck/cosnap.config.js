const credentials = '{"email":"{email}","password":"{password}"}'
const photos = '/api/cosnap/photos'
const environment = { PORT: '{port}', ADMIN_PORT: '{otherPort}', DATA_DIR: '{data}', AUTH_RATE_LIMIT_MAX: '60' }
const things = { create: `POST ${photos}?name={text} {photo}`, list: `GET ${photos}`, read: `GET ${photos}/{id}` }

export default {
  url: 'http://127.0.0.1:{port}',
  start: { command: 'node ../../cli/bin/seaworthy.js start', environment, secrets: ['JWT_ACCESS_SECRET'] },
  signUp: `POST /api/identity/sign-up ${credentials}`,
  signIn: `POST /api/identity/sign-in ${credentials}`,
  signOut: 'POST /api/identity/sign-out',
  token: 'body.accessToken',
  me: 'GET /api/identity/me',
  resource: { ...things, delete: `DELETE ${photos}/{id}` },
  private: ['GET /api/identity/me', 'GET /api/cosnap/photos', 'GET /api/cosnap/runs', 'GET /api/cosnap/credits'],
  pages: ['GET /', 'GET /sign-in?next={text}'],
  health: 'GET /health',
  upload: { send: `POST ${photos}?name=boat.jpg`, read: 'body.picture.full', bytesMax: 30_000_000 },
}
