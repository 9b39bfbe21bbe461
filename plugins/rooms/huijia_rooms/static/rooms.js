// Niceties of the room desk; every page works without them.
"use strict";
(() => {
  const grid = document.querySelector(".daygrid");

  // --- arrows move from cell to cell; up and down keep to the hour ---
  const middle = (element) => { const box = element.getBoundingClientRect(); return (box.left + box.right) / 2; };
  const nearest = (links, x) => links.reduce((best, link) => Math.abs(middle(link) - x) < Math.abs(middle(best) - x) ? link : best);
  const beside = (link, key) => {
    const rows = [...grid.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("td a")]).filter((row) => row.length);
    const y = rows.findIndex((row) => row.includes(link)), x = rows[y].indexOf(link);
    if (key === "ArrowLeft") return rows[y][x - 1];
    if (key === "ArrowRight") return rows[y][x + 1];
    const row = rows[y + (key === "ArrowUp" ? -1 : 1)];
    return row && nearest(row, middle(link));
  };
  grid?.addEventListener("keydown", (event) => {
    const link = event.target.closest("td a");
    if (!event.key.startsWith("Arrow") || (!link && event.target !== grid)) return;
    const next = link ? beside(link, event.key) : grid.querySelector("td a");
    if (!next) return;
    event.preventDefault();
    next.focus();
  });

  // --- a click inside a free hour begins at the quarter that was clicked ---
  grid?.addEventListener("click", (event) => {
    const link = event.target.closest(".free > a"), quarters = link?.parentElement.colSpan;
    if (!link || !event.detail || quarters < 2 || getComputedStyle(link.closest("tr")).display !== "table-row") return;
    const box = link.getBoundingClientRect(), address = new URL(link.href);
    const [hour, minute] = address.searchParams.get("at").split(":").map(Number);
    const at = hour * 60 + minute + 15 * Math.min(Math.floor((event.clientX - box.left) / box.width * quarters), quarters - 1);
    address.searchParams.set("at", [Math.floor(at / 60), at % 60].map((n) => String(n).padStart(2, "0")).join(":"));
    link.href = address;
  });

  // --- the line of now moves on; at first it is brought into view ---
  const now = grid?.querySelector(".now");
  const move = () => {
    const at = (Date.now() - Date.parse(now.dataset.start)) / 900000;
    if (at >= 0 && at <= Number(now.dataset.columns)) now.style.setProperty("--at", at);
  };
  if (now) {
    const left = now.offsetLeft - grid.clientWidth / 2;
    if (left > 0) grid.scrollLeft = left;
    setInterval(move, 30000);
  }

  // --- a photo as large as a camera makes it is sent smaller, and without what the camera wrote into it ---
  const shrink = async (input) => {
    const [file] = input.files;
    if (!file) return;
    const picture = await createImageBitmap(file).catch(() => null);
    if (!picture) return;  // no picture: the server says so
    const part = Math.min(1, Number(input.dataset.shrink) / Math.max(picture.width, picture.height));
    const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(picture.width * part), height: Math.round(picture.height * part) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    if (!blob || input.files[0] !== file) return;
    const kept = new DataTransfer();
    kept.items.add(new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }));
    input.files = kept.files;
  };
  document.querySelectorAll("input[data-shrink]").forEach((input) => input.addEventListener("change", () => shrink(input)));

  // --- the seats are asked for where the chosen room has them ---
  const form = document.querySelector("form[data-way]"), room = form?.elements.room_id;
  const ask = () => {
    const way = room.selectedOptions[0]?.dataset.way, seats = form.elements.seats, heads = form.elements.head_count;
    seats.closest(".field").hidden = seats.disabled = way === "whole";
    seats.required = way === "shared";
    heads.closest(".field").hidden = heads.disabled = way === "shared";
  };
  if (room) {
    room.addEventListener("change", ask);
    ask();
  }
})();
