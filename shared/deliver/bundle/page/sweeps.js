// The records: was everything that was planned answered, and is every answer here with all its pages?

const KNOWN = new Set(["event", "retention", "profile", "erasure", "sweep-planned", "observation", "failure", "finding", "change", "deletion", "sweep-closed", "exhibit", "waiver", "baseline", "attribution"]);
const CONCLUSIONS = new Set(["finding", "change", "deletion", "attribution"]);
const quoted = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const pair = (a, b) => `${a}\n${b}`;
const sorted = (values) => [...values].sort(byCodePoint);

class Answer {
  constructor(index, record) {
    this.index = index;
    this.kind = record.kind;
    this.resource = record.resource ?? "";
    this.failed = record.type === "failure";
    this.digests = record.pages.map((page) => page.sha256);
  }
}

class Sweep {
  constructor(name, first) {
    Object.assign(this, { name, first, plan: null, planRecord: -1, asked: new Map(), planning: [], units: new Map(), findings: new Map(), deletions: new Map(), outside: false, strange: false });
  }
}

class Examiner {
  constructor(bundle) {
    Object.assign(this, { bundle, report: bundle.report, resources: bundle.resources });
    this.fromStart = bundle.resources === null && bundle.ranges[0][0] === 0;
    this.open = new Map();
    this.done = new Map();
    this.plans = [];
    this.beyond = [];
    this.closings = new Map();
    this.keyRecords = new Set();
    this.restsOn = new Set(); // records that deletions and attributions rest on, which a bundle brings along from wherever they are
    this.waivers = []; // by which waivers were granted, or ended: as acts
    this.acts = []; // by which documents were filed as exhibits, or withdrawn: where, and what each says
    this.approvals = []; // by which states were approved as baselines
    this.strangers = new Map();
    this.chains = new Set();
    this.uncounted = false; // whether closing records do not say how many deletions there are
    this.followed = false; // whether there are answers about members of lists, or logs, which are not counted here
    this.statuses = { satisfied: 0, "not-satisfied": 0, unknown: 0, "not-applicable": 0, "provider-attested": 0 };
  }

  concerns(resource) {
    return this.resources === null || this.resources.some((one) => resource === one || resource.startsWith(`${one}/`) || (one.startsWith(`${resource}/`) && resource.includes("/accounts/")));
  }

  // Takes in a record that was proven; gives a promise only where a body must be read first.
  take(index, text) {
    return this.guarded(index, () => {
      const record = JSON.parse(text);
      need(isObject(record) && isTime(record.at) && typeof record.type === "string" && typeof record.kind === "string", "common");
      if (record.v !== 1) throw new Damaged(`is of version ${shown(record.v)}: open the index.html that came with it`);
      if (record.overflow === undefined) return this.record(index, record);
      return this.whole(index, record);
    });
  }

  guarded(index, work) {
    const say = (error) => {
      if (error instanceof Damaged) this.report.problem(error.message, { record: index });
      else if (error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError) this.report.problem("the record has not the shape that its type has", { record: index });
      else throw error;
    };
    try {
      const later = work();
      return later instanceof Promise ? later.catch(say) : undefined;
    } catch (error) {
      return say(error);
    }
  }

  async whole(index, record) {
    const moved = {};
    for (const [name, place] of Object.entries(record.overflow)) {
      this.body(index, place.sha256, place.bytes);
      moved[name] = await this.bundle.parsed(place.sha256);
    }
    this.record(index, { ...record, ...moved });
  }

  body(index, digest, bytes) {
    need(isDigest(digest), "digest");
    const name = bodyName(digest);
    this.bundle.named.add(digest);
    if (!this.bundle.sound.has(name)) this.report.problem(`the body ${digest} that it names is missing or altered`, { record: index });
    else if (this.bundle.files.get(name).bytes !== bytes) this.report.problem(`says that the body ${digest} has ${bytes} bytes, and it has ${this.bundle.files.get(name).bytes}`, { record: index });
  }

  record(index, record) {
    const { type, sweep: name } = record;
    if (!KNOWN.has(type)) this.strangers.set(type, (this.strangers.get(type) ?? 0) + 1);
    const acts = { waiver: this.waivers, exhibit: this.acts, baseline: this.approvals }[type];
    if (acts !== undefined) {
      this.restsOn.add(index);
      acts.push([index, record[type]]);
    }
    if (type === "deletion" || type === "attribution") for (const each of [...record.records, ...(record.supersedes ?? [])]) this.restsOn.add(count(each));
    if (type === "observation" || type === "failure" || (type === "event" && record.pages)) for (const page of record.pages) this.body(index, page.sha256, page.bytes);
    if (type === "profile") this.body(index, record.profile.sha256, record.profile.bytes);
    if (type === "finding") {
      if (record.profile) this.bundle.named.add(record.profile);
      if (record.status in this.statuses) this.statuses[record.status] += 1;
    }
    if (index === 0 && (type !== "event" || record.store.origin !== this.bundle.origin)) this.report.problem("the first record of a log names the log, and this one does not", { record: 0 });
    if (type === "event" && record.kind === "key") this.keyRecords.add(index);
    if (name === null) return;
    need(typeof name === "string" && /^[A-Za-z0-9._-]{1,128}$/.test(name), "sweep");
    if (this.done.has(name)) {
      this.late(index, record);
      return;
    }
    if (!this.open.has(name)) {
      if (type !== "retention" && type !== "sweep-planned" && record.unit !== "plan" && !this.fromStart) {
        if (type === "sweep-closed") this.closings.set(index, name); // of the sweep before the first
        return;
      }
      this.open.set(name, new Sweep(name, index));
    }
    this.ofSweep(index, this.open.get(name), record);
  }

  ofSweep(index, sweep, record) {
    const { type, unit } = record, answered = type === "observation" || type === "failure";
    if (type === "sweep-planned") this.planned(index, sweep, record);
    else if (sweep.plan === null) {
      if (!answered) return;
      this.answer(index, record);
      sweep.planning.push([unit, new Answer(index, record)]);
    } else if (sweep.outside) return;
    else if (answered) {
      this.answer(index, record);
      this.keep(sweep, index, record);
    } else if (CONCLUSIONS.has(type)) {
      if (type === "deletion") {
        need(typeof record.account === "string", "account");
        sweep.deletions.set(record.account, (sweep.deletions.get(record.account) ?? 0) + 1);
      }
      if (!sweep.asked.has(unit) || this.concerns(sweep.asked.get(unit).resource)) { // of other units, deletions alone are here
        if (!sweep.findings.has(unit)) sweep.findings.set(unit, [index, 0]);
        const place = sweep.findings.get(unit);
        if (place[0] + place[1] !== index && !sweep.strange) this.report.problem(`the findings about ${shown(unit)} do not stand together`, { record: index });
        place[1] += 1;
      }
      for (const rest of record.records ?? [record.from, record.to]) {
        if (rest !== null && rest !== undefined && count(rest) >= index) this.report.problem("rests on a record that comes later", { record: index });
      }
    } else if (type === "sweep-closed") this.closed(index, sweep, record);
    else if (!KNOWN.has(type)) sweep.strange = true;
  }

  late(index, record) {
    const [closed, missing] = this.done.get(record.sweep);
    if (missing.has(record.unit) && (record.type === "observation" || record.type === "failure")) this.report.note(`sweep ${record.sweep}: ${record.unit} arrived after the sweep was closed`);
    else if (KNOWN.has(record.type)) this.report.problem(`comes after the closing record of its sweep, at ${closed}`, { record: index });
  }

  answer(index, record) {
    const failed = record.type === "failure", { pages } = record, { url } = record.request;
    const chain = `${failed} ${url} ${pages.map((page) => `${page.sha256} ${page.url}`).join(" ")}`;
    if (!this.chains.has(chain)) {
      const reason = this.pagesOf(url, pages, failed);
      if (reason !== null) this.report.problem(`${record.kind}: ${reason}`, { record: index });
      else if (this.chains.size < 100000) this.chains.add(chain);
    }
    if (failed) this.report.failure(`${record.kind}: ${record.reason} (${record.detail})`, { record: index, resource: record.resource });
  }

  // What is wrong with the pages of an answer: each is the one that the page before links to, and the last links to none.
  pagesOf(url, pages, failed) {
    let expected = url;
    if (!pages.length) return failed ? null : "the answer has no page";
    for (const [number, page] of pages.entries()) {
      if (page.url !== expected) return `page ${number + 1} is not the one that was asked for or linked to`;
      const facts = this.bundle.facts.get(page.sha256);
      if (facts === undefined) return null; // missing or altered: said where the record names it
      if (facts === null) return `the body ${page.sha256} is not JSON`;
      expected = facts.next && URL.canParse(facts.next, page.url) ? (facts.next.includes("://") ? facts.next : new URL(facts.next, page.url).href) : "";
      if (facts.cursor === undefined) return `page ${number + 1} says that there is more, and not after what`;
      if (facts.cursor !== null) expected = `${url}${url.includes("?") ? "&" : "?"}after=${quoted(facts.cursor)}`;
    }
    return expected && !failed ? `page ${pages.length + 1} is missing: the one before it links to it` : null;
  }

  keep(sweep, index, record) {
    const name = record.unit;
    if (!sweep.asked.has(name)) this.report.problem(`the plan has no unit ${shown(name)}`, { record: index });
    else if (!this.concerns(sweep.asked.get(name).resource)) return; // there for what the accounts of its subscription are judged with
    if (!sweep.units.has(name)) sweep.units.set(name, []);
    const answers = sweep.units.get(name);
    if (answers.length && index !== answers[0].index + answers.length && !sweep.strange) this.report.problem(`the answers of ${shown(name)} do not stand together`, { record: index });
    answers.push(new Answer(index, record));
  }

  planned(index, sweep, plan) {
    if (sweep.plan !== null) {
      this.report.problem(`the sweep was planned already, at record ${sweep.planRecord}`, { record: index });
      return;
    }
    const times = [plan.at, plan.deadline, ...[plan.slot, plan.previous && plan.previous.slot].filter((text) => text !== null)];
    need(times.every(isTime) && (plan.previous === null || count(plan.previous.record) >= 0) && (plan.schedule === null || typeof plan.schedule === "string"), "plan");
    need(plan.units.every((unit) => typeof unit.unit === "string" && typeof unit.resource === "string") && isObject(plan.questions) && isObject(plan.scope), "units");
    Object.assign(sweep, { plan, planRecord: index, asked: new Map(plan.units.map((unit) => [unit.unit, unit])) });
    const time = plan.slot ?? plan.at;
    sweep.outside = !(this.bundle.period[0] <= time && time < this.bundle.period[1]);
    if (sweep.outside) {
      this.beyond.push(plan);
      return;
    }
    this.plans.push([index, plan]);
    this.report.counts.sweeps += 1;
    if (count(plan.log.size) > sweep.first) this.report.problem("says that the log was longer while planning than where its own first record is", { record: index });
    if (plan.log.consistent === false) this.report.problem("the collector found that the log did not extend the one that it had left", { record: index });
    if (plan.deadline < plan.at) this.report.problem("its deadline is before the time of the plan", { record: index });
    if (this.resources === null) population(this, index, sweep);
  }

  items(answer) {
    return answer.digests.flatMap((digest) => this.bundle.facts.get(digest)?.items ?? []);
  }

  closed(index, sweep, closed) {
    closing(this, index, sweep, closed);
    this.closings.set(index, sweep.name);
    this.done.set(sweep.name, [index, new Set(closed.missing)]);
    this.open.delete(sweep.name);
  }

  finish() {
    for (const sweep of this.open.values()) {
      if (sweep.plan === null) this.report.problem(`sweep ${sweep.name} has records and no plan`, { record: sweep.first });
      else if (!sweep.outside) this.report.gap("the sweep was planned and never closed", { record: sweep.planRecord });
    }
    try {
      period(this);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      this.report.problem("the plans have not the shape that they should have: that no sweep is missing cannot be shown");
    }
  }
}
