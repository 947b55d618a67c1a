// While an incoming link is being typed: what the server would say to it, said beside each field. The rules are the
// server's alone; without this they are said when the form is sent.

const PAUSE_MS = 400; // not at every letter: a URL half typed is not wrong yet

const form = document.querySelector("form[data-check]");
const touched = new Set();
let pause;
let request;

form.addEventListener("input", ({ target }) => {
  touched.add(target.name);
  clearTimeout(pause);
  pause = setTimeout(ask, PAUSE_MS);
});

async function ask() {
  request?.abort();
  request = new AbortController();
  const question = { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "error", signal: request.signal };
  try {
    const answer = await fetch(form.dataset.check, question);
    if (answer.ok) show(await answer.json());
  } catch {
    // Typed on meanwhile, or signed out: saving will say it.
  }
}

function show(problems) {
  for (const [name, found] of Object.entries(problems)) {
    if (!touched.has(name)) continue;
    const field = form.elements[name];
    if (found.length) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    document.getElementById(`${name}-findings`).replaceChildren(...found.map(item));
  }
}

function item({ line, text }) {
  const made = document.createElement("li");
  if (line) {
    const code = document.createElement("code");
    code.textContent = line;
    made.append(code, " ");
  }
  made.append(text);
  return made;
}
