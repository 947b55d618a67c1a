// What every page gains where scripts run: times in the reader's zone, copy buttons, passwords that can be looked at.
// Nothing here is needed: a page without it says the same.

const words = document.body.dataset;
const root = document.documentElement;
const status = document.getElementById("status");

function say(text) {
  status.textContent = "";
  requestAnimationFrame(() => { status.textContent = text; });
}

function button(text) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet";
  made.textContent = text;
  return made;
}

const language = navigator.language.startsWith(root.lang) ? navigator.language : root.lang;
const styles = { date: { dateStyle: "long" }, moment: { dateStyle: "medium", timeStyle: "short" } };
for (const time of document.querySelectorAll("time[data-shown]")) {
  time.title = time.textContent;
  time.textContent = new Intl.DateTimeFormat(language, styles[time.dataset.shown]).format(new Date(time.dateTime));
}

for (const figure of document.querySelectorAll("figure.copyable")) {
  const caption = figure.querySelector("figcaption").textContent;
  const pre = figure.querySelector("pre");
  const copy = button(words.copy);
  copy.setAttribute("aria-label", `${words.copy}: ${caption}`);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent);
    } catch {
      getSelection().selectAllChildren(pre); // not permitted: the keyboard can do the rest
      return;
    }
    copy.textContent = words.copied;
    say(`${caption}: ${words.copied}`);
  });
  figure.append(copy);
}

for (const password of document.querySelectorAll("input[type=password][data-show]")) {
  const toggle = button(password.dataset.show);
  toggle.setAttribute("aria-controls", password.id);
  toggle.addEventListener("click", () => {
    const shown = password.type === "text";
    password.type = shown ? "password" : "text";
    toggle.textContent = shown ? password.dataset.show : password.dataset.hide;
  });
  password.form.addEventListener("submit", () => { password.type = "password"; });
  password.after(toggle);
}

for (const link of document.querySelectorAll(".site nav a")) {
  if (location.pathname === link.pathname) link.setAttribute("aria-current", "page");
}
