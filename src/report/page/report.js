const find = document.getElementById("find");
find.parentElement.hidden = false;
find.addEventListener("input", () => {
  const wanted = find.value.trim().toLowerCase();
  for (const kind of document.querySelectorAll("details.files")) {
    let found = 0;
    for (const file of kind.querySelectorAll("tbody tr")) {
      file.hidden = !file.textContent.toLowerCase().includes(wanted);
      if (!file.hidden) found += 1;
    }
    kind.hidden = found === 0;
    kind.open = wanted !== "" && found > 0 && found <= 200;
  }
});
