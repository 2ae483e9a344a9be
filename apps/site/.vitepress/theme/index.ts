// The theme with the fonts of the system: nothing to load, and nothing from elsewhere.
export { default } from 'vitepress/theme-without-fonts';
import './style.css';
