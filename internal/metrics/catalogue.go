// Package metrics is what a hotline says of itself to whoever runs it, in numbers:
// Prometheus metrics, whether the process lives and whether it is ready.
//
// No label and no value comes from a person, names a case, an officer or a
// conversation: every label has the few values that [Catalogue] lists. The counts
// themselves still say when somebody wrote and how many do, so they are for those
// who run the hotline only: see docs/metrics.md.
package metrics

// The names of the metrics; [Catalogue] says what each is.
const (
	CasesEntered    = "suar_cases_entered_total"
	CasesOpen       = "suar_cases_open"
	Acknowledgement = "suar_acknowledgement_seconds"
	Unacknowledged  = "suar_unacknowledged_oldest_seconds"
	Unanswered      = "suar_unanswered_oldest_seconds"
	Calls           = "suar_calls_total"

	Deliveries        = "suar_deliveries_total"
	Delivery          = "suar_delivery_seconds"
	DeliveriesWaiting = "suar_deliveries_waiting"
	DeliveriesOldest  = "suar_deliveries_oldest_seconds"

	Events       = "suar_events_total"
	Alarms       = "suar_alarms_total"
	Damaged      = "suar_damaged_total"
	Unheard      = "suar_unheard_words_total"
	StoreCommits = "suar_store_commits_total"
	StoreCommit  = "suar_store_commit_seconds"
	StoreTrouble = "suar_store_trouble_total"

	Ready              = "suar_ready"
	Listening          = "suar_mattermost_listening"
	MattermostRefused  = "suar_mattermost_refused_total"
	TelegramConflicts  = "suar_telegram_conflicts_total"
	TelegramRefused    = "suar_telegram_requests_refused_total"
	RosterOnDuty       = "suar_roster_on_duty"
	RosterGap          = "suar_roster_gap_seconds"
	TextsUnreviewed    = "suar_texts_unreviewed"
	DirectoryStale     = "suar_directory_stale"
	BackupMade         = "suar_backup_timestamp_seconds"
	BuildInfo          = "suar_build_info"
	labelPhase         = "phase"
	labelSide          = "side"
	labelOutcome       = "outcome"
	labelBuiltFrom     = "version"
	labelKindOfEntries = "kind"
)

// A Kind is how a metric counts.
type Kind string

// The kinds, as Prometheus calls them.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// A Metric is one of those that a hotline has.
type Metric struct {
	Name string
	Kind Kind
	// Help says what it is, in a sentence without its full stop.
	Help   string
	Labels []Label
	// Buckets are a histogram's upper bounds, in seconds.
	Buckets []float64
}

// A Label tells a metric's series apart. Values are all that it can be; one without
// values is of the program and not of anybody.
type Label struct {
	Name   string
	Values []string
}

func sides() Label { return Label{labelSide, []string{"caller", "officers", "keeper", "pager"}} }

// Catalogue returns all metrics, in the order of docs/metrics.md.
func Catalogue() []Metric {
	return []Metric{
		{CasesEntered, Counter, "Cases that came into a phase, in this process since its start", []Label{{labelPhase, []string{"opening", "alerting", "claimed", "closed"}}}, nil},
		{CasesOpen, Gauge, "Open cases whose card is in the officers' channel: alerting while nobody has acknowledged them; only from the process that listens to Mattermost", []Label{{labelPhase, []string{"alerting", "claimed"}}}, nil},
		{Acknowledgement, Histogram, "Time from the opening of a case to the first officer's acknowledgement", nil, []float64{15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400}},
		{Unacknowledged, Gauge, "For how long the oldest case waits that nobody has acknowledged, 0 for none; only from the process that listens to Mattermost", nil, nil},
		{Unanswered, Gauge, "For how long a person's words wait for the officer who has the case, the longest wait, 0 for none; only from the process that listens to Mattermost", nil, nil},
		{Calls, Counter, "Calls of officers in Mattermost by how far they rose: duty, the second, the lead, everybody", []Label{{"level", []string{"duty", "second", "lead", "everybody"}}}, nil},

		{Deliveries, Counter, "Tries to deliver: caller is to people by Telegram, officers to Mattermost, keeper the slow sums of this process, pager the second way of calling; deferred is tried again, unwanted was overtaken", []Label{sides(), {labelOutcome, []string{"delivered", "undelivered", "unwanted", "deferred"}}}, nil},
		{Delivery, Histogram, "Time from the commit of what is to be delivered to its delivery", []Label{sides()}, []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200}},
		{DeliveriesWaiting, Gauge, "What waits in the store to be delivered, by all processes, that under way included", []Label{sides()}, nil},
		{DeliveriesOldest, Gauge, "For how long the oldest delivery waits that this process has tried, 0 for none", []Label{sides()}, nil},

		{Events, Counter, "What people and officers did that was made durable", nil, nil},
		{Alarms, Counter, "Appointments of conversations that came, such as the next call of officers", nil, nil},
		{Damaged, Counter, "Meetings with something kept that does not open or a step that fails: somebody must look at the log", nil, nil},
		{Unheard, Counter, "Words that were passed on without being compared with a danger phrase, because too many wrote at once", nil, nil},
		{StoreCommits, Counter, "Commits by the store's answer: refused is that somebody else was first, failed is trouble", []Label{{"answer", []string{"kept", "refused", "failed"}}}, nil},
		{StoreCommit, Histogram, "Time of a commit to the store", nil, []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 8}},
		{StoreTrouble, Counter, "Failures to read or write the store", nil, nil},

		{Ready, Gauge, "Whether a part does its work, 1 or 0: the store answers, updates come from Telegram, officers are heard in Mattermost", []Label{{"part", []string{PartStore, PartTelegram, PartMattermost}}}, nil},
		{Listening, Gauge, "Whether this process is the one that listens to Mattermost, 1 or 0; of several processes one is", nil, nil},
		{MattermostRefused, Counter, "Presses, commands and posts that were no officer's, not fresh or not signed", nil, nil},
		{TelegramConflicts, Counter, "How often another program was found to receive this bot's updates or to have changed its webhook: whoever it is has the token", nil, nil},
		{TelegramRefused, Counter, "Requests to the webhook that were not Telegram's, or could not be taken", nil, nil},

		{RosterOnDuty, Gauge, "Whether somebody is on duty now, 1 or 0; only with a roster", nil, nil},
		{RosterGap, Gauge, "For how much of the next 14 days nobody is on duty; only with a roster", nil, nil},
		{TextsUnreviewed, Gauge, "Languages that people can choose whose texts no native speaker has reviewed", nil, nil},
		{DirectoryStale, Gauge, "Entries of the directory that are hidden because nobody has verified them lately", []Label{{labelKindOfEntries, []string{"numbers", "pages", "embassies"}}}, nil},
		{BackupMade, Gauge, "When the newest backup in the folder was made, in seconds since 1970, 0 if there is none; only with a folder", nil, nil},
		{BuildInfo, Gauge, "1, with what the program was built from", []Label{{labelBuiltFrom, nil}}, nil},
	}
}

// Parts of a hotline that can be ready or not.
const (
	PartStore      = "store"
	PartTelegram   = "telegram"
	PartMattermost = "mattermost"
)
