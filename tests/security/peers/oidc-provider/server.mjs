// npm's oidc-provider as a target of the suite: its own defaults, two confidential clients, a public one, and a
// protected call for each scope. Prints the target's description as one line of JSON when it is ready.
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import Provider from 'oidc-provider';

const { version } = createRequire(import.meta.url)('oidc-provider/package.json');
const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const uris = ['https://app.example/cb', 'https://app.example/other?x=1', 'https://app.example/third'];
const grants = { response_types: ['code'], grant_types: ['authorization_code', 'refresh_token'], scope: 'READ WRITE' };

function confidential(client_id, redirect_uris = uris) {
  const client_secret = randomBytes(32).toString('hex');
  return { client_id, client_secret, client_name: client_id, token_endpoint_auth_method: 'client_secret_post', redirect_uris, ...grants };
}

const clients = [
  confidential('confidential'),
  confidential('other'),
  confidential('plain', uris.slice(0, 1)),
  { client_id: 'public', client_name: 'public', token_endpoint_auth_method: 'none', redirect_uris: uris, ...grants },
];

const provider = new Provider(issuer, {
  clients,
  scopes: ['READ', 'WRITE'],
  cookies: { keys: [randomBytes(32).toString('hex')] },
  features: { introspection: { enabled: true }, revocation: { enabled: true } },
  // The suite is about rotation, so rotation is switched on for every client, and refresh tokens are issued.
  rotateRefreshToken: true,
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});

// The protected calls: GET needs READ or WRITE, POST needs WRITE.
provider.use(async (ctx, next) => {
  if (ctx.path !== '/api') return next();
  const [scheme, token, ...rest] = (ctx.get('authorization') || '').split(' ');
  const found = scheme.toLowerCase() === 'bearer' && token && !rest.length && (await provider.AccessToken.find(token));
  if (!found || found.isExpired) {
    ctx.status = 401;
    ctx.set('www-authenticate', token ? 'Bearer error="invalid_token"' : 'Bearer');
    return undefined;
  }
  const needed = ctx.method === 'POST' ? ['WRITE'] : ['READ', 'WRITE'];
  if (!needed.some((scope) => found.scopes.has(scope))) {
    ctx.status = 403;
    ctx.set('www-authenticate', `Bearer error="insufficient_scope", scope="${needed[0]}"`);
    return undefined;
  }
  ctx.body = { username: found.accountId };
  return undefined;
});

provider.listen(port, '127.0.0.1', () => {
  const described = Object.fromEntries(clients.map((client) => [client.client_id, {
    client_id: client.client_id, client_secret: client.client_secret ?? null, redirect_uris: client.redirect_uris,
    scope: client.scope, name: client.client_name, extra: { prompt: 'consent' },
  }]));
  const person = (username) => ({ username, password: `password of ${username}` });
  console.log(JSON.stringify({
    name: 'oidc-provider', version, issuer,
    authorize: `${issuer}/auth`, token: `${issuer}/token`, revoke: `${issuer}/token/revocation`,
    introspect: `${issuer}/token/introspection`, metadata: [`${issuer}/.well-known/openid-configuration`],
    clients: described, users: { reader: person('reader'), writer: person('writer') },
    scopes: ['READ', 'WRITE'],
    resources: { READ: { path: '/api' }, WRITE: { path: '/api', method: 'POST', json: {} } },
    forms: { username: 'login', password: 'password', allow: ['prompt', 'consent'] },
    nodes: [`127.0.0.1:${port}`],
  }));
});
