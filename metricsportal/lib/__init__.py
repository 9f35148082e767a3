"""Pure values and arithmetic: time, money, histograms, streaming CSV. Knows neither Django nor the apps."""
