// Draws the chart, and loads the page anew every minute unless somebody is reading or typing.
(() => {
  const COLOURS = ["#2f7ebc", "#e1812c", "#3a923a", "#c03d3e", "#9372b2", "#a5785f", "#d684bd", "#8a8a8a", "#b5bd4a"];
  const holder = document.getElementById("chart");
  const source = document.getElementById("chart-data");

  const draw = () => {
    if (!holder || !source || !window.Plotly) return;
    const data = JSON.parse(source.textContent);
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--ink").trim();
    const line = style.getPropertyValue("--line").trim();
    const narrow = holder.clientWidth < 600;
    const traces = data.outlets.map((outlet, place) => ({
      type: "bar", name: outlet.name, x: data.days, y: outlet.articles,
      marker: { color: COLOURS[place % COLOURS.length] },
      hovertemplate: "%{x|%d %b}: %{y}<extra>%{fullData.name}</extra>",
    }));
    Plotly.react(holder, traces, {
      barmode: "stack", bargap: 0.15, height: narrow ? 360 : 320,
      margin: { l: 40, r: 10, t: 10, b: 40 },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, family: "system-ui, sans-serif" },
      xaxis: { type: "date", gridcolor: line, tickformat: "%d %b" },
      yaxis: { gridcolor: line, rangemode: "tozero", tickformat: ",d" },
      legend: narrow ? { orientation: "h", y: -0.2 } : {},
      showlegend: true,
    }, { displayModeBar: false, responsive: true });
  };

  draw();
  document.addEventListener("themechange", draw);

  // Airflow shows the page in a frame that may open no windows. A link of the page around it may.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[target=_blank]");
    if (!link || window.parent === window) return;
    event.preventDefault();
    const outside = window.parent.document.createElement("a");
    Object.assign(outside, { href: link.href, target: "_blank", rel: "noopener noreferrer" });
    outside.click();
  });

  setInterval(() => {
    const busy = document.querySelector("details[open]") || document.activeElement?.matches("input");
    if (!busy && !document.hidden) location.reload();
  }, 60000);
})();
