package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
)

// description is a peer as `behalf bench --peers` reads it.
type description struct {
	Name        string   `json:"name"`
	Versions    []string `json:"versions"`
	API         string   `json:"api"`
	Address     string   `json:"address"`
	Token       string   `json:"token,omitempty"`
	Store       string   `json:"store,omitempty"`
	Model       string   `json:"model,omitempty"`
	Permissions []string `json:"permissions,omitempty"`
	Processes   []int    `json:"processes"`
}

// describe writes the file in one piece: whoever waits for it finds it whole.
func describe(file string, all []description) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	written := file + ".new"
	if err := os.WriteFile(written, append(text, '\n'), 0o600); err != nil { // it holds a key
		return err
	}
	return os.Rename(written, file)
}

// versionOf reads from an executable what it was built from.
func versionOf(program string) (string, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "", fmt.Errorf("read what %s was built from: %w", program, err)
	}
	return fmt.Sprintf("%s %s, %s", info.Main.Path, info.Main.Version, info.GoVersion), nil
}
