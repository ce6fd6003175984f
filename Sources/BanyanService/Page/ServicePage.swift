/// The page at `/`: drop pictures, see what every task says; the tree, and which prompts tasks share.
enum ServicePage {
  static let html = #"""
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Banyan</title>
    <link rel="icon" href="data:,">
    <style>
    :root{--p:#fbfaf7;--t:#22251f;--m:#62675c;--g:#dfe1d8;--a:#2f6f4f;--b:#cfe3d6;--e:#a3331f}
    @media(prefers-color-scheme:dark){:root{--p:#191b17;--t:#e6e8e0;--m:#9ba193;--g:#363a31;--a:#7cc49a;--b:#2c4536;--e:#f0907c}}
    *{box-sizing:border-box}[hidden]{display:none!important}
    body{margin:0;background:var(--p);color:var(--t);font:16px/1.5 system-ui,sans-serif}
    main{max-width:70rem;margin:auto;padding:1.5rem}
    h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.2rem;margin:2.5rem 0 .5rem}h3{font-size:1rem;margin:0}
    p{max-width:44rem;margin:.25rem 0 1rem;color:var(--m)}
    #drop{border:2px dashed var(--m);border-radius:.75rem;padding:2rem;text-align:center;cursor:pointer;background:none;color:inherit;font:inherit;width:100%}
    #drop.over,#drop:hover{border-color:var(--a);background:var(--b)}
    #drop[aria-disabled=true]{border-color:var(--g);background:none;color:var(--m);cursor:not-allowed}
    button:focus-visible,input:focus-visible,summary:focus-visible,label:focus-within{outline:2px solid var(--a);outline-offset:2px}
    fieldset{border:0;padding:0;margin:1rem 0 0;display:flex;flex-wrap:wrap;gap:.25rem 1rem}
    legend{float:left;margin-right:1rem;color:var(--m)}
    #pictures{display:grid;gap:1.5rem;margin-top:1.5rem}
    article{display:grid;grid-template-columns:10rem 1fr;gap:1.25rem;border-top:1px solid var(--g);padding-top:1.25rem}
    article img{width:100%;max-height:10rem;object-fit:contain;border-radius:.25rem}
    .name{color:var(--m);font-size:.85rem;overflow-wrap:anywhere}
    .tasks{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1rem 1.5rem}
    ol{list-style:none;margin:.25rem 0 0;padding:0}
    .tasks li{display:grid;grid-template-columns:1fr 4rem;align-items:center;position:relative;padding:.1rem .4rem;isolation:isolate}
    .tasks li::before{content:"";position:absolute;inset:1px auto 1px 0;width:calc(var(--v)*1%);background:var(--b);border-radius:.2rem;z-index:-1}
    .tasks li span:last-child{text-align:right;font-variant-numeric:tabular-nums}
    .tasks li span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
    .said{margin:0 0 .5rem}.error{color:var(--e)}
    .tree,.tree ul{list-style:none;margin:0;padding-left:1.25rem;border-left:2px solid var(--g)}
    .tree{padding-left:.75rem}
    .tree li{margin:.2rem 0;position:relative}
    .tree li::before{content:"";position:absolute;left:-1.25rem;top:.75rem;width:.9rem;border-top:2px solid var(--g)}
    .tree small,dl small{color:var(--m)}
    .on>.label{background:var(--b);border-radius:.2rem;padding:0 .3rem}
    table{border-collapse:collapse;margin-top:.75rem}td,th{text-align:left;padding:.25rem 1rem .25rem 0;border-bottom:1px solid var(--g);vertical-align:top}
    .wide{overflow-x:auto}
    label.token{display:block;margin:1rem 0}
    input[type=password]{font:inherit;padding:.3rem .5rem;background:var(--p);color:var(--t);border:1px solid var(--m);border-radius:.3rem}
    @media(max-width:40rem){article{grid-template-columns:1fr}}
    </style>
    </head>
    <body>
    <main>
    <h1>What is in the picture?</h1>
    <p id="lead">Every task answers for itself.</p>
    <form id="gate" hidden><label class="token">This service asks for its token: <input type="password" id="token" autocomplete="off"></label></form>
    <button type="button" id="drop" aria-describedby="note">Drop pictures here, paste one, or press to choose<br><small>JPEG, PNG or WebP</small></button>
    <input type="file" id="files" accept="image/jpeg,image/png,image/webp" multiple hidden>
    <fieldset id="choice"><legend>Ask</legend></fieldset>
    <p id="note" class="error" role="status" aria-live="polite"></p>
    <p id="status" role="status" aria-live="polite"></p>
    <section id="pictures" aria-label="Answers"></section>
    <section id="runs"></section>
    </main>
    <script>
    "use strict";
    const $ = id => document.getElementById(id);
    const make = (tag, text, more) => Object.assign(document.createElement(tag), text === undefined ? {} : {textContent: text}, more);
    const headers = () => $("token").value ? {Authorization: "Bearer " + $("token").value} : {};
    const percent = value => (100 * value).toFixed(1) + " %";
    const tell = (text, isError) => { $("status").textContent = text; $("status").className = isError ? "error" : ""; };
    const count = number => number + (number === 1 ? " picture" : " pictures");
    const ask = async (path, options = {}) => {
      const answer = await fetch(path, {...options, headers: {...headers(), ...options.headers}})
        .catch(() => { throw Object.assign(new Error("no answer came from the service"), {status: 0}); });
      const body = await answer.json().catch(() => null);
      if (answer.ok && body) return body;
      if (answer.status === 401) { $("gate").hidden = false; $("token").focus(); }
      throw Object.assign(new Error(body?.error ?? "the service answered " + answer.status),
        {status: answer.status, pause: Number(answer.headers.get("Retry-After")) || 1});
    };
    const boxes = () => [...document.querySelectorAll("#choice input")];
    const isNoneChosen = () => boxes().length > 0 && !boxes().some(box => box.checked);
    // Named are tasks only where some are left out: what is named counts as pictures of the task.
    const chosen = () => boxes().every(box => box.checked) ? [] : boxes().filter(box => box.checked).map(box => box.value);
    const checkChoice = () => {
      $("drop").setAttribute("aria-disabled", isNoneChosen());
      $("note").textContent = isNoneChosen() ? "No task is checked, so nothing is asked. Check one or more." : "";
    };
    // A picture on the page: an article that is busy until it has its answers or an error.
    const card = file => {
      const name = file.name || "pasted picture", article = make("article"), left = make("div"), right = make("div");
      const said = make("p"), tasks = make("div", undefined, {className: "tasks"});
      const image = make("img", undefined, {alt: "", loading: "lazy", src: URL.createObjectURL(file)});
      for (const event of ["load", "error"]) image.addEventListener(event, () => URL.revokeObjectURL(image.src));
      image.addEventListener("error", () => image.remove());
      left.append(image, make("div", name, {className: "name"}));
      right.append(said, tasks);
      article.append(left, right);
      article.setAttribute("aria-label", name);
      article.setAttribute("aria-busy", "true");
      const say = (text, isError) => { said.textContent = text; said.className = isError ? "said error" : "said"; said.hidden = !text; };
      const end = (text, isError) => { say(text, isError); article.setAttribute("aria-busy", "false"); };
      say("Waits for its turn.");
      return {article, name, say, fail: text => end(text, true), show: answers => { tasks.append(...answers.map(guesses)); end(""); }};
    };
    const guesses = answer => {
      const box = make("div"), list = make("ol");
      for (const guess of answer.classes) {
        const line = make("li");
        line.style.setProperty("--v", 100 * guess.probability);
        line.append(make("span", guess.name, {title: guess.name}), make("span", percent(guess.probability)));
        list.append(line);
      }
      box.append(make("h3", answer.task), list);
      box.addEventListener("mouseenter", () => mark(answer.task));
      box.addEventListener("mouseleave", () => mark());
      return box;
    };
    // One request a picture, so that no bound on a request is met by many; two at a time, so that others are served too.
    const together = 2, tries = 5, longestPause = 60;
    const waiting = [];
    let inWork = 0, tally = {all: 0};
    const sum = () => {
      const {all, answered, failed, start} = tally, without = failed ? ", " + failed + " without an answer" : "";
      if (answered + failed < all) tell("Looking at " + count(all) + ": " + answered + " answered" + without + " …");
      else tell(count(answered) + " answered" + without + ", in " + Math.round(performance.now() - start) + " ms.");
    };
    const send = files => {
      files = [...files];
      checkChoice();
      if (!files.length || isNoneChosen()) return;
      if (!inWork && !waiting.length) tally = {all: 0, answered: 0, failed: 0, start: performance.now()};
      const jobs = files.map(file => ({file, tasks: chosen(), card: card(file)}));
      $("pictures").prepend(...jobs.map(job => job.card.article));
      waiting.push(...jobs);
      tally.all += jobs.length;
      sum();
      work();
    };
    const work = () => {
      // While the token is asked for, pictures wait.
      while (inWork < together && waiting.length && $("gate").hidden) {
        inWork += 1;
        look(waiting.shift()).finally(() => { inWork -= 1; sum(); work(); });
      }
    };
    const look = async job => {
      for (let attempt = 1; ; attempt += 1) {
        job.card.say("Looking …");
        const form = new FormData();
        form.append("picture", job.file, job.card.name);
        for (const task of job.tasks) form.append("task", task);
        form.append("top", "5");
        try {
          const {pictures: [picture]} = await ask("classify", {method: "POST", body: form});
          if (picture.error) throw new Error(picture.error);
          job.card.show(picture.answers);
          tally.answered += 1;
          return;
        } catch (error) {
          if (error.status === 401) {
            job.card.say("Waits for the token.");
            waiting.unshift(job);
            return;
          }
          const isFull = error.status === 429 || error.status === 503;
          if (!isFull || attempt === tries || error.pause > longestPause) {
            const more = isFull ? "; try again in " + error.pause + " s" : error.status === 0 ? "; the file may be too large for it" : "";
            job.card.fail(error.message + more);
            tally.failed += 1;
            return;
          }
          job.card.say("The service is full. Try " + (attempt + 1) + " of " + tries + " comes in " + error.pause + " s.");
          await new Promise(go => setTimeout(go, 1000 * error.pause));
        }
      }
    };
    const mark = task => document.querySelectorAll("[data-tasks]").forEach(item =>
      item.classList.toggle("on", task !== undefined && JSON.parse(item.dataset.tasks).includes(task)));
    const branch = (nodes, index) => {
      const node = nodes[index], item = make("li");
      const below = index => nodes[index].children.length ? nodes[index].children.flatMap(below) : nodes[index].tasks;
      item.dataset.tasks = JSON.stringify(below(index));
      const label = make("span", node.children.length ? "prompt " + index : node.tasks.join(", "), {className: "label"});
      item.append(label);
      if (node.affinity !== null && node.affinity !== undefined) item.append(make("small", " joined at " + Number(node.affinity.toPrecision(3))));
      if (node.children.length) {
        const list = make("ul");
        node.children.forEach(child => list.append(branch(nodes, child)));
        item.append(list);
      }
      return item;
    };
    const shared = (prompt, task, run) => {
      const others = prompt.tasks.filter(name => name !== task);
      const words = !others.length ? "own" : prompt.tasks.length === run.tasks.length ? "all" : others.length < 3 ? "with " + others.join(", ") : "with " + others.length + " others";
      return make("span", prompt.node + " " + words, {title: "prompt " + prompt.node + ": " + prompt.tasks.join(", ")});
    };
    const describe = run => {
      const section = make("section");
      section.append(make("h2", run.title + (run.title === run.name ? "" : " (" + run.name + ")")));
      section.append(make("p", run.tasks.length + (run.tasks.length === 1 ? " task" : " tasks") + ", average top-1 " + percent(run.average) + " when it was trained; seed " + run.seed + ". " + run.sharing));
      if (run.nodes.length) {
        const list = make("ul", undefined, {className: "tree"});
        const inner = new Set(run.nodes.flatMap(node => node.children));
        run.nodes.forEach((node, index) => { if (!inner.has(index)) list.append(branch(run.nodes, index)); });
        section.append(list);
      }
      const wide = make("div", undefined, {className: "wide"}), table = make("table"), head = make("tr");
      for (const word of ["Task", "Prompts, the root's first", "Top-1 then"]) head.append(make("th", word, {scope: "col"}));
      table.append(head);
      for (const task of run.tasks) {
        const row = make("tr");
        row.dataset.tasks = JSON.stringify([task.name]);
        const prompts = make("td", task.prompts.length ? undefined : "see the method");
        task.prompts.forEach((prompt, index) => prompts.append(index ? " → " : "", shared(prompt, task.name, run)));
        row.append(make("th", task.name, {scope: "row"}), prompts, make("td", task.top1 === null ? "–" : percent(task.top1)));
        table.append(row);
      }
      wide.append(table);
      section.append(wide);
      return section;
    };
    const begin = async () => {
      try {
        const {runs} = await ask("runs");
        $("gate").hidden = true;
        const left = boxes().filter(box => !box.checked).map(box => box.value);
        $("choice").replaceChildren(make("legend", "Ask"));
        const names = runs.flatMap(run => run.tasks.map(task => task.name));
        for (const name of names) {
          const label = make("label"), box = make("input", undefined, {type: "checkbox", value: name, checked: !left.includes(name)});
          label.append(box, " " + name);
          $("choice").append(label);
        }
        $("runs").replaceChildren(...runs.map(describe));
        checkChoice();
        if (tally.all) sum(); else tell("");
        work();
      } catch (error) {
        // That a token is wanted the page has said already.
        if (error.status !== 401) tell(error.message, true); else tell($("token").value ? "That is not its token." : "", true);
      }
    };
    $("choice").addEventListener("change", checkChoice);
    $("token").addEventListener("change", begin);
    $("gate").addEventListener("submit", event => { event.preventDefault(); begin(); });
    $("drop").addEventListener("click", () => { if (!isNoneChosen()) $("files").click(); });
    $("files").addEventListener("change", event => { send(event.target.files); event.target.value = ""; });
    addEventListener("dragover", event => { event.preventDefault(); $("drop").classList.add("over"); });
    addEventListener("dragleave", () => $("drop").classList.remove("over"));
    addEventListener("drop", event => { event.preventDefault(); $("drop").classList.remove("over"); send(event.dataTransfer.files); });
    addEventListener("paste", event => send(event.clipboardData.files));
    begin();
    </script>
    </body>
    </html>
    """#
}
