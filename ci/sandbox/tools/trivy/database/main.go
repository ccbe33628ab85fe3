// Writes a vulnerability database that trivy reads, from advisories in the OSV format.
//
//	database FOLDER ADVISORY.json...
//
// It is made with the library that makes the public one, so its form is the real one.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/aquasecurity/trivy-db/pkg/db"
	"github.com/aquasecurity/trivy-db/pkg/types"
	"github.com/aquasecurity/trivy-db/pkg/vulnsrc/vulnerability"
	bolt "go.etcd.io/bbolt"
)

// record is what is read of an OSV record.
type record struct {
	ID       string
	Aliases  []string
	Summary  string
	Details  string
	Affected []struct {
		Package struct{ Ecosystem, Name string }
		Ranges  []struct {
			Events []struct{ Introduced, Fixed string }
		}
	}
	References       []struct{ URL string }
	DatabaseSpecific struct{ Severity string } `json:"database_specific"`
}

// source is where the advisories of an ecosystem are kept, and by whom.
type source struct {
	bucket string
	data   types.DataSource
}

const debian = "Debian:"

func sourceOf(ecosystem string) (source, error) {
	if ecosystem == "PyPI" {
		return source{"pip::GitHub Security Advisory Pip", types.DataSource{
			ID: vulnerability.GHSA, Name: "GitHub Security Advisory pip",
			URL: "https://github.com/advisories?query=type%3Areviewed+ecosystem%3Apip",
		}}, nil
	}
	if release, ok := strings.CutPrefix(ecosystem, debian); ok {
		return source{"debian " + release, types.DataSource{
			ID: vulnerability.Debian, Name: "Debian Security Tracker",
			URL: "https://salsa.debian.org/security-tracker-team/security-tracker",
		}}, nil
	}
	return source{}, fmt.Errorf("no advisories are known of the ecosystem %q", ecosystem)
}

func severityOf(word string) (types.Severity, error) {
	if word == "MODERATE" {
		word = "MEDIUM"
	}
	return types.NewSeverity(word)
}

func put(tx *bolt.Tx, one record) error {
	dbc := db.Config{}
	// Trivy names a finding by its CVE where it has one.
	id := one.ID
	for _, alias := range one.Aliases {
		if strings.HasPrefix(alias, "CVE-") {
			id = alias
		}
	}
	severity, err := severityOf(one.DatabaseSpecific.Severity)
	if err != nil {
		return err
	}
	var references []string
	for _, reference := range one.References {
		references = append(references, reference.URL)
	}
	severities := types.VendorSeverity{}
	for _, affected := range one.Affected {
		from, err := sourceOf(affected.Package.Ecosystem)
		if err != nil {
			return err
		}
		severities[from.data.ID] = severity
		if err := dbc.PutDataSource(tx, from.bucket, from.data); err != nil {
			return err
		}
		advisory := types.Advisory{}
		isDebian := strings.HasPrefix(affected.Package.Ecosystem, debian)
		for _, events := range affected.Ranges {
			var introduced, fixed string
			for _, event := range events.Events {
				introduced, fixed = introduced+event.Introduced, fixed+event.Fixed
			}
			switch {
			case isDebian:
				advisory.FixedVersion = fixed
			case fixed == "":
				advisory.VulnerableVersions = append(advisory.VulnerableVersions, ">="+introduced)
			default:
				advisory.VulnerableVersions = append(advisory.VulnerableVersions, ">="+introduced+", <"+fixed)
				advisory.PatchedVersions = append(advisory.PatchedVersions, fixed)
			}
		}
		buckets := []string{from.bucket, affected.Package.Name}
		if !isDebian {
			advisory.VendorIDs = []string{one.ID}
		} else if advisory.FixedVersion == "" {
			advisory.Status = types.StatusAffected
		}
		if err := dbc.PutAdvisory(tx, buckets, id, &advisory); err != nil {
			return err
		}
	}
	return dbc.PutVulnerability(tx, id, types.Vulnerability{
		Title: one.Summary, Description: one.Details, References: references,
		Severity: severity.String(), VendorSeverity: severities,
	})
}

func run(folder string, files []string) error {
	if err := db.Init(folder); err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return db.Config{}.BatchUpdate(func(tx *bolt.Tx) error {
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			var one record
			if err := json.Unmarshal(text, &one); err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
			if err := put(tx, one); err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
		}
		return nil
	})
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: database FOLDER ADVISORY.json...")
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}
