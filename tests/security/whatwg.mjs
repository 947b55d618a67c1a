// The WHATWG parsers of Node, for the differential fuzz: one JSON line in, one JSON line out.
import { createInterface } from 'node:readline';

const readers = {
  url(text) {
    try {
      const { protocol, hostname, port, pathname, search, hash, username, password, href } = new URL(text);
      return { protocol, hostname, port, pathname, search, hash, username, password, href };
    } catch {
      return null;
    }
  },
  // The constructor drops one leading question mark, so it is given one.
  form: (text) => [...new URLSearchParams(`?${text}`)],
  basic(text) {
    const decoded = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(Buffer.from(text, 'base64'));
    const colon = decoded.indexOf(':');
    if (colon < 0) return null;
    const read = (half) => new URLSearchParams(`x=${half.replaceAll('&', '%26')}`).get('x');
    return [decoded.slice(0, colon), decoded.slice(colon + 1)].map(read);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [kind, text] = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(readers[kind](text))}\n`);
}
