// npm oidc-provider as a peer: node oidc_provider.mjs PORT CODES_FILE REDIRECT_URI CHALLENGE COUNT [PG_FOLDER PG_DATABASE]
// Without a database it keeps everything in a Map (its own memory adapter forgets all but the last 1000 entries);
// with one, in a table of JSON documents.
import { writeFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const [port, file, redirectUri, challenge, count, host, database] = process.argv.slice(2);
const secret = 'a-client-secret-that-guards-nothing-at-all-0123456789';
const memory = new Map();
const ofGrant = new Map();

let adapter = class {
  constructor(type) { this.type = type; }
  async upsert(id, payload) {
    memory.set(`${this.type}:${id}`, payload);
    if (payload.grantId) ofGrant.set(payload.grantId, [...(ofGrant.get(payload.grantId) ?? []), `${this.type}:${id}`]);
  }
  async find(id) { return memory.get(`${this.type}:${id}`); }
  async findByUid() { return undefined; }
  async findByUserCode() { return undefined; }
  async destroy(id) { memory.delete(`${this.type}:${id}`); }
  async consume(id) { memory.get(`${this.type}:${id}`).consumed = Math.floor(Date.now() / 1000); }
  async revokeByGrantId(id) { (ofGrant.get(id) ?? []).forEach((key) => memory.delete(key)); ofGrant.delete(id); }
};

if (database) {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ host, database, user: 'postgres', max: 16 });
  await pool.query(`CREATE TABLE documents (
    id text NOT NULL, type text NOT NULL, payload jsonb NOT NULL, grant_id text, uid text, user_code text,
    expires_at timestamptz, consumed_at timestamptz, PRIMARY KEY (id, type))`);
  await pool.query('CREATE INDEX ON documents (grant_id)');
  const found = ({ rows: [row] }) => row && { ...row.payload, ...(row.consumed_at && { consumed: true }) };
  adapter = class {
    constructor(type) { this.type = type; }
    async upsert(id, payload, expiresIn) {
      await pool.query(
        `INSERT INTO documents (id, type, payload, grant_id, uid, user_code, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (id, type) DO UPDATE SET payload = $3, grant_id = $4, uid = $5, user_code = $6, expires_at = $7`,
        [id, this.type, payload, payload.grantId, payload.uid, payload.userCode,
          expiresIn ? new Date(Date.now() + expiresIn * 1000) : null]);
    }
    async find(id) {
      return found(await pool.query('SELECT payload, consumed_at FROM documents WHERE id = $1 AND type = $2', [id, this.type]));
    }
    async findByUid(uid) {
      return found(await pool.query('SELECT payload, consumed_at FROM documents WHERE uid = $1 AND type = $2', [uid, this.type]));
    }
    async findByUserCode(code) {
      return found(await pool.query('SELECT payload, consumed_at FROM documents WHERE user_code = $1 AND type = $2', [code, this.type]));
    }
    async destroy(id) { await pool.query('DELETE FROM documents WHERE id = $1 AND type = $2', [id, this.type]); }
    async consume(id) { await pool.query('UPDATE documents SET consumed_at = now() WHERE id = $1 AND type = $2', [id, this.type]); }
    async revokeByGrantId(id) { await pool.query('DELETE FROM documents WHERE grant_id = $1', [id]); }
  };
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter,
  clients: [{
    client_id: 'bench', client_secret: secret, redirect_uris: [redirectUri], response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'client_secret_post',
  }],
  scopes: ['api', 'offline_access'],
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: () => true, // no OpenID scope, so no ID token has to be signed
  rotateRefreshToken: true,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  cookies: { keys: ['bench'] },
  ttl: { AuthorizationCode: 3600, AccessToken: 3600, RefreshToken: 86400, Grant: 86400 },
});

const client = await provider.Client.find('bench');
const newCode = async () => {
  const grant = new provider.Grant({ accountId: 'bench', clientId: 'bench' });
  grant.addOIDCScope('api offline_access');
  const grantId = await grant.save();
  return new provider.AuthorizationCode({
    client, accountId: 'bench', grantId, redirectUri, scope: 'api offline_access', gty: 'authorization_code',
    codeChallenge: challenge, codeChallengeMethod: 'S256',
  }).save();
};
const codes = [];
while (codes.length < Number(count)) {
  const some = Math.min(200, Number(count) - codes.length);
  codes.push(...await Promise.all(Array.from({ length: some }, newCode)));
}
writeFileSync(file, JSON.stringify({ token_path: '/token', client_id: 'bench', client_secret: secret, codes }));
provider.listen(Number(port), '127.0.0.1');
