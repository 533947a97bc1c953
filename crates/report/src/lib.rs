//! Figures as SVG, PNG and CSV, and one self-contained HTML page.
