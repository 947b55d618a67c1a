// A copy button for every text that is there to be copied. Without it text is selected by hand.

import { button, say } from "./parts.js";

const words = document.body.dataset;

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
