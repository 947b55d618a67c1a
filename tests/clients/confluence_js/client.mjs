// confluence.js as its users write it, against a server: what it was told goes to the standard output as one line of JSON.

import { ConfluenceClient } from "confluence.js";

const [host, accessToken] = process.argv.slice(2);
const client = new ConfluenceClient({ host, apiPrefix: "/rest", authentication: { oauth2: { accessToken } } });

const body = (value) => ({ storage: { value, representation: "storage" } });
const title = "Written by confluence.js";
// It throws the body of the answer.
const refusal = async (promise) => promise.then(() => null, (answer) => answer.statusCode);

const spaces = await client.space.getSpaces();
const space = await client.space.getSpace({ spaceKey: "DEMO", expand: ["homepage"] });
const made = await client.content.createContent({ type: "page", title, space: { key: "DEMO" }, body: body("<p>first</p>") });
const read = await client.content.getContentById({ id: made.id, expand: ["body.storage", "body.view", "version", "space"] });
const changed = await client.content.updateContent({
  id: made.id, type: "page", title, version: { number: 2 }, body: body("<p>second fjord</p>"),
});
const listed = await client.content.getContent({ spaceKey: "DEMO", title, expand: ["body.storage"] });
const old = await client.content.getContentById({ id: made.id, status: ["historical"], version: 1, expand: ["body.storage"] });
const history = await client.content.getHistoryForContent({ id: made.id });
const conflict = await refusal(client.content.updateContent({ id: made.id, type: "page", title, version: { number: 2 } }));
const child = await client.content.createContent({
  type: "page", title: "Child of confluence.js", space: { key: "DEMO" }, ancestors: [{ id: made.id }], body: body("<p>c</p>"),
});
const children = await client.contentChildrenAndDescendants.getContentChildrenByType({ id: made.id, type: "page" });
await client.contentLabels.addLabelsToContent({ id: made.id, body: [{ prefix: "global", name: "from-node" }] });
const byLabel = await client.content.searchContentByCQL({ cql: 'label = "from-node"' });
const byText = await client.search.searchByCQL({ cql: 'text ~ "fjord" and space = DEMO' });
const me = await client.users.getCurrentUser();
const page = await fetch(host + made._links.webui, { headers: { Authorization: `Bearer ${accessToken}` } });
await client.content.deleteContent({ id: child.id });
await client.content.deleteContent({ id: made.id });
const gone = await refusal(client.content.getContentById({ id: made.id }));

console.log(JSON.stringify({
  spaces: spaces.results.map((each) => each.key), homepage: space.homepage.title,
  first: read.body.storage.value, view: read.body.view.value, space: read.space.key,
  version: changed.version.number, second: listed.results[0].body.storage.value, old: old.body.storage.value,
  history: history.lastUpdated.number, conflict, children: children.results.map((each) => each.title),
  label: byLabel.results.map((each) => each.title), text: byText.results.map((each) => each.content.title),
  user: me.username, page: page.status, gone,
}));
