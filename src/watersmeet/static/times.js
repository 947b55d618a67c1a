// Times in the reader's own zone and language; the page itself says them in UTC.

const root = document.documentElement;
const language = navigator.language.startsWith(root.lang) ? navigator.language : root.lang;
const styles = {
  date: { dateStyle: "long" },
  "short-date": { dateStyle: "medium" },
  moment: { dateStyle: "medium", timeStyle: "short" },
  second: { dateStyle: "medium", timeStyle: "medium" },
  clock: { timeStyle: "medium" },
};

export function localise(part) {
  for (const time of part.querySelectorAll("time[data-shown]")) {
    time.title = time.textContent;
    time.textContent = new Intl.DateTimeFormat(language, styles[time.dataset.shown]).format(new Date(time.dateTime));
  }
}
