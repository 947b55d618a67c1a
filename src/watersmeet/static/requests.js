// The list of requests keeps up by itself. Without this the page is reloaded.

import { button, say } from "./parts.js";
import { localise } from "./times.js";

const PAUSE_MS = 2000;

keepUp(document.getElementById("requests"));

function keepUp(live) {
  const words = live.dataset;
  const toggle = button(words.pause);
  document.getElementById("live-controls").append(toggle);
  let paused = false;
  toggle.addEventListener("click", () => {
    paused = !paused;
    toggle.textContent = paused ? words.goOn : words.pause;
    say(paused ? words.paused : words.resumed);
  });
  const look = async () => {
    const reads = document.activeElement && live.contains(document.activeElement);
    if (!paused && !reads && !document.hidden) await update(live).catch(() => {}); // the server may be restarting
    setTimeout(look, PAUSE_MS);
  };
  setTimeout(look, PAUSE_MS);
}

async function update(live) {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("requests");
  if (!fresh || fresh.dataset.newest === live.dataset.newest) return;
  const more = Number(fresh.dataset.newest) - Number(live.dataset.newest);
  live.replaceChildren(...fresh.childNodes);
  localise(live);
  live.dataset.newest = fresh.dataset.newest;
  document.getElementById("count").textContent = page.getElementById("count").textContent;
  say(more > 1 ? live.dataset.many.replace("#", more) : more === 1 ? live.dataset.one : live.dataset.emptied);
}
