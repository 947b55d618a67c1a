// While redirect URLs are being typed: which of the rules below the field are broken, said as text and by colour.
// The server checks the same and more; this only says it sooner.

const field = document.getElementById("redirect_uris");
const computer = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)([:/?]|$)/;
const rules = {
  whole: (line) => /^[a-z][a-z0-9+.-]*:[^\s#]+$/.test(line),
  secure: (line) => !line.startsWith("http:") || computer.test(line),
};

function check() {
  const lines = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
  for (const [name, holds] of Object.entries(rules)) {
    const rule = document.querySelector(`[data-rule="${name}"]`);
    const broken = lines.filter((line) => !holds(line));
    rule.dataset.text ??= rule.textContent;
    rule.classList.toggle("broken", broken.length > 0);
    rule.textContent = broken.length ? `✗ ${rule.dataset.text} (${broken.join(", ")})` : rule.dataset.text;
  }
}

let pause;
field.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(check, 400); // not at every letter: a URL half typed is not wrong yet
});
field.addEventListener("change", check);
if (field.value) check();
