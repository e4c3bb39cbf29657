module github.com/twilioacct/twilioacct/internal/bench

go 1.26

replace github.com/twilioacct/twilioacct => ../..
