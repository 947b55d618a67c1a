// What every page gains where scripts run: times in the reader's zone, copy buttons, passwords that can be looked at.
// Nothing here is needed: a page without it says the same.

import "./copy.js";
import { button } from "./parts.js";
import { localise } from "./times.js";

localise(document);

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
