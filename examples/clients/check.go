// Judge a claim from Go 1.21 or later; nothing to install: go run check.go http://127.0.0.1:8087 < claim.json
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

// Verdict has the keys that this program looks at; others are passed over.
type Verdict struct {
	Detail   string `json:"detail"`
	Findings []struct {
		Rule      string `json:"rule"`
		Severity  string `json:"severity"`
		Message   string `json:"message"`
		Positions []int  `json:"positions"`
	} `json:"findings"`
}

func main() {
	server := "http://127.0.0.1:8087"
	if len(os.Args) > 1 {
		server = os.Args[1]
	}
	request, err := http.NewRequest("POST", server+"/v1/check", os.Stdin)
	if err != nil {
		fail(err)
	}
	request.Header.Set("content-type", "application/json")
	if token := os.Getenv("WEAKCODE_TOKEN"); token != "" {
		request.Header.Set("authorization", "Bearer "+token)
	}
	// One client for the whole program: it keeps its connections.
	client := &http.Client{Timeout: 30 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		fail(err)
	}
	defer answer.Body.Close()
	var verdict Verdict
	if err := json.NewDecoder(answer.Body).Decode(&verdict); err != nil {
		fail(err)
	}
	if answer.StatusCode != 200 {
		fail(fmt.Errorf("%s", verdict.Detail))
	}
	status := 0
	for _, finding := range verdict.Findings {
		fmt.Println(finding.Severity, finding.Rule, finding.Positions, finding.Message)
		if finding.Severity == "error" {
			status = 1
		}
	}
	os.Exit(status)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}
