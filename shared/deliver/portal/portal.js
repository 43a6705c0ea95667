// The page of a bundle that was asked for: looks every two seconds how far it is. Without scripts, a link does so.

const state = document.getElementById("state");
if (state && ["queued", "building"].includes(state.dataset.state)) {
  const bar = document.getElementById("bar"), doing = document.getElementById("doing");
  const look = async () => {
    try {
      const answer = await fetch(state.dataset.poll, { cache: "no-store", credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      if (found.state !== state.dataset.state) {
        location.reload();
        return;
      }
      if (found.progress && found.progress.total) {
        bar.max = found.progress.total;
        bar.value = found.progress.done;
        doing.textContent = `${found.progress.step}: ${found.progress.done.toLocaleString("en")} of ${found.progress.total.toLocaleString("en")}`;
      }
    } catch {
      doing.textContent = "The portal does not answer just now; it will be asked again.";
    }
    setTimeout(look, 2000);
  };
  setTimeout(look, 500);
}
