// What several modules build pages from: a quiet button, and what is said to those who listen to a page.

const status = document.getElementById("status");

export function say(text) {
  status.textContent = "";
  requestAnimationFrame(() => { status.textContent = text; });
}

export function button(text) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet";
  made.textContent = text;
  return made;
}
