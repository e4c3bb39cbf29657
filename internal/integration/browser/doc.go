// Package browser opens the dashboard's page in a real browser, headless, as a person and as a screen reader would.
package browser
