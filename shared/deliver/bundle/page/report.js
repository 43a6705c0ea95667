"use strict";
// What a check comes to. A problem is evidence that is not what it should be; a gap is something that was not collected.

class Refused extends Error {} // nothing can be said of the bundle
class Damaged extends Error {} // a file is not there, or not what it should be

const LISTED = 200;

function shown(value) {
  const text = String(value).slice(0, 301).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, "\ufffd");
  return text.length <= 300 ? text : `${text.slice(0, 299)}…`;
}

class Report {
  constructor() {
    this.problems = [];
    this.gaps = [];
    this.checked = [];
    this.unchecked = [];
    this.notes = [];
    this.failures = new Map(); // of each failure that is listed: its place among the gaps, how often it is there, the first record
    this.counts = { problems: 0, gaps: 0, files: 0, records: 0, bodies: 0, sweeps: 0 };
  }

  problem(reason, { record, file } = {}) {
    this.add("problems", reason, record, file);
  }

  gap(reason, { record, resource } = {}) {
    this.add("gaps", resource ? `${reason} (${resource})` : reason, record);
  }

  // A gap that may be there sweep after sweep: it is listed once.
  failure(reason, { record, resource }) {
    const text = shown(`${reason} (${resource})`), known = this.failures.get(text);
    if (known === undefined) {
      if (this.gaps.length < LISTED) this.failures.set(text, { place: this.gaps.length, times: 1, first: record });
      this.add("gaps", text, record);
      return;
    }
    this.counts.gaps += 1;
    known.times += 1;
    this.gaps[known.place] = `${known.times.toLocaleString("en")} times, records ${known.first} to ${record}: ${text}`;
  }

  // The gaps: what was missed once before what fails always.
  rarestFirst() {
    const times = new Map([...this.failures.values()].map((known) => [known.place, known.times])), often = (place) => times.get(place) ?? 1;
    return this.gaps.map((_, place) => place).sort((a, b) => often(a) - often(b)).map((place) => this.gaps[place]);
  }

  // How many problems or gaps no line stands for.
  unlisted(list) {
    const repeated = list === "gaps" ? [...this.failures.values()].reduce((sum, { times }) => sum + times - 1, 0) : 0;
    return this.counts[list] - this[list].length - repeated;
  }

  add(list, reason, record, file) {
    this.counts[list] += 1;
    const places = [record === undefined ? null : `record ${record}`, file === undefined ? null : shown(file)].filter((place) => place !== null);
    const text = places.length ? `${places.join(", ")}: ${shown(reason)}` : shown(reason);
    if (this[list].length < LISTED && this[list].at(-1) !== text) this[list].push(text); // said over and over, it hides what else there is
  }

  note(sentence) {
    if (this.notes.length < 50 && !this.notes.includes(shown(sentence))) this.notes.push(shown(sentence));
  }
}

const many = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// Python's order of text (by code point), which is that of the evidence; JavaScript sorts by UTF-16 units.
function byCodePoint(a, b) {
  const x = Array.from(a), y = Array.from(b);
  for (let i = 0; i < Math.min(x.length, y.length); i += 1) if (x[i] !== y[i]) return x[i].codePointAt(0) - y[i].codePointAt(0);
  return x.length - y.length;
}
