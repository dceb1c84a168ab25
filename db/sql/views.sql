-- Views for the usual questions. Times are UTC; a day is a day in UTC. Comments become docs/analysts.md.

CREATE OR REPLACE VIEW news.articles_flat AS
SELECT a.id AS article_id, a.story_id, a.outlet, f.country, f.slug AS feed, a.language, a.title, a.author, a.agency,
       a.published_at, (a.published_at AT TIME ZONE 'UTC')::date AS published_on, a.published_from, a.landed_at,
       a.word_count, a.url,
       (SELECT t.topic FROM news.article_topics t WHERE t.article_id = a.id ORDER BY t.score DESC, t.topic LIMIT 1)
           AS topic,
       (SELECT max(t.score) FROM news.article_topics t WHERE t.article_id = a.id) AS topic_score,
       ARRAY(SELECT t.topic FROM news.article_topics t WHERE t.article_id = a.id ORDER BY t.score DESC, t.topic)
           AS topics,
       s.size AS story_size, s.first_article_id = a.id AS first_of_story, a.content_id, a.text
FROM news.articles a
JOIN news.entries e ON e.id = a.entry_id
JOIN news.feeds f ON f.id = e.feed_id
JOIN news.stories s ON s.id = a.story_id;

COMMENT ON VIEW news.articles_flat IS 'An article per row, with outlet, country, topic and story: the place to start.';
COMMENT ON COLUMN news.articles_flat.article_id IS 'The article (articles.id); it stays the same for ever.';
COMMENT ON COLUMN news.articles_flat.story_id IS 'The story: copies of a text, edited or cut, have the same.';
COMMENT ON COLUMN news.articles_flat.outlet IS 'Name of the publisher, of the place that was first.';
COMMENT ON COLUMN news.articles_flat.country IS 'Country of the publisher (ISO 3166-1 alpha-2), as configured.';
COMMENT ON COLUMN news.articles_flat.feed IS 'Id of the feed it came from, as in feeds.yaml; import for files.';
COMMENT ON COLUMN news.articles_flat.language IS 'Language of the text (ISO 639-1).';
COMMENT ON COLUMN news.articles_flat.title IS 'Title.';
COMMENT ON COLUMN news.articles_flat.author IS 'Author.';
COMMENT ON COLUMN news.articles_flat.agency IS 'News agency that the text is credited to.';
COMMENT ON COLUMN news.articles_flat.published_at IS 'When it was published; null where no source says so.';
COMMENT ON COLUMN news.articles_flat.published_on IS 'The day of published_at. Conditions on it use an index.';
COMMENT ON COLUMN news.articles_flat.published_from IS 'Where that date comes from: feed, jsonld, meta, page or url.';
COMMENT ON COLUMN news.articles_flat.landed_at IS 'When it came into this table.';
COMMENT ON COLUMN news.articles_flat.word_count IS 'Number of words.';
COMMENT ON COLUMN news.articles_flat.url IS 'Address.';
COMMENT ON COLUMN news.articles_flat.topic IS 'The topic it matches best, as in topics.yaml.';
COMMENT ON COLUMN news.articles_flat.topic_score IS 'How strongly it matches that topic.';
COMMENT ON COLUMN news.articles_flat.topics IS 'All topics it is about, the best first.';
COMMENT ON COLUMN news.articles_flat.story_size IS 'How many articles the story has.';
COMMENT ON COLUMN news.articles_flat.first_of_story IS 'Whether it is the one of its story that was published first: '
    'with this condition each story counts once.';
COMMENT ON COLUMN news.articles_flat.content_id IS 'First 16 hexadecimal digits of the hash of the folded text.';
COMMENT ON COLUMN news.articles_flat.text IS 'The text, paragraphs separated by line ends.';

CREATE OR REPLACE VIEW news.article_places AS
SELECT a.id AS article_id, a.story_id, f.outlet, f.country, f.slug AS feed, g.url,
       coalesce(d.title, e.title) AS title,
       coalesce(d.published_at, CASE WHEN e.published_note ~ '^(future|lastmod)' THEN NULL ELSE e.published_at END)
           AS published_at,
       g.seen_at,
       g.entry_id = a.entry_id AS original, g.content_hash = a.content_hash AS unchanged
FROM news.sightings g
JOIN news.articles a ON a.id = g.article_id
JOIN news.entries e ON e.id = g.entry_id
JOIN news.feeds f ON f.id = g.feed_id
LEFT JOIN news.documents d ON d.entry_id = g.entry_id;

COMMENT ON VIEW news.article_places IS 'A place where an article''s text was published, word for word, per row: its own '
    'and those of others. An edited copy is an article of its own in the same story.';
COMMENT ON COLUMN news.article_places.article_id IS 'The article (articles.id).';
COMMENT ON COLUMN news.article_places.story_id IS 'Its story.';
COMMENT ON COLUMN news.article_places.outlet IS 'Who published it there.';
COMMENT ON COLUMN news.article_places.country IS 'Country of that publisher.';
COMMENT ON COLUMN news.article_places.feed IS 'Id of the feed it was seen in.';
COMMENT ON COLUMN news.article_places.url IS 'Address; seed:... for an imported file.';
COMMENT ON COLUMN news.article_places.title IS 'Title at that place.';
COMMENT ON COLUMN news.article_places.published_at IS 'When it was published there.';
COMMENT ON COLUMN news.article_places.seen_at IS 'When it was first seen there.';
COMMENT ON COLUMN news.article_places.original IS 'Whether articles describes this place, the first of all.';
COMMENT ON COLUMN news.article_places.unchanged IS 'Whether it says there what the article says now.';

CREATE OR REPLACE VIEW news.story_overview AS
SELECT s.id AS story_id, first.title, first.outlet AS first_outlet, first.url AS first_url, first.language,
       first.published_at AS story_published_at, s.size AS articles,
       (SELECT count(*) FROM news.articles a JOIN news.sightings g ON g.article_id = a.id WHERE a.story_id = s.id)
           AS places,
       (SELECT count(DISTINCT f.outlet) FROM news.articles a JOIN news.sightings g ON g.article_id = a.id
            JOIN news.feeds f ON f.id = g.feed_id WHERE a.story_id = s.id) AS outlets,
       (SELECT max(a.published_at) FROM news.articles a WHERE a.story_id = s.id) AS last_published_at
FROM news.stories s
JOIN news.articles first ON first.id = s.first_article_id;

COMMENT ON VIEW news.story_overview IS 'A story per row: what was published first, and how far it spread.';
COMMENT ON COLUMN news.story_overview.story_id IS 'The story (stories.id); when two become one, the older stays.';
COMMENT ON COLUMN news.story_overview.title IS 'Title of its first article.';
COMMENT ON COLUMN news.story_overview.first_outlet IS 'Who published that one.';
COMMENT ON COLUMN news.story_overview.first_url IS 'Its address.';
COMMENT ON COLUMN news.story_overview.language IS 'Its language.';
COMMENT ON COLUMN news.story_overview.story_published_at IS 'When it was published.';
COMMENT ON COLUMN news.story_overview.articles IS 'Number of different texts.';
COMMENT ON COLUMN news.story_overview.places IS 'Number of places where one of them was published.';
COMMENT ON COLUMN news.story_overview.outlets IS 'Number of publishers among these.';
COMMENT ON COLUMN news.story_overview.last_published_at IS 'When the last of its articles was published.';

CREATE OR REPLACE VIEW news.story_timeline AS
SELECT a.story_id, first.published_at AS story_published_at, p.published_at,
       p.published_at - first.published_at AS delay, p.outlet, p.country, p.article_id, p.url, p.title,
       CASE WHEN a.id = s.first_article_id THEN CASE WHEN p.original THEN 'first' ELSE 'same_words' END
            ELSE coalesce(l.relation, 'linked') END AS relation,
       l.similarity, l.containment
FROM news.stories s
JOIN news.articles first ON first.id = s.first_article_id
JOIN news.articles a ON a.story_id = s.id
JOIN news.article_places p ON p.article_id = a.id
LEFT JOIN news.article_links l
    ON l.article_id = least(a.id, s.first_article_id) AND l.other_id = greatest(a.id, s.first_article_id);

COMMENT ON VIEW news.story_timeline IS 'A place where a story was published per row, with the time that had passed since '
    'the first.';
COMMENT ON COLUMN news.story_timeline.story_id IS 'The story.';
COMMENT ON COLUMN news.story_timeline.story_published_at IS 'When its first article was published.';
COMMENT ON COLUMN news.story_timeline.published_at IS 'When it was published at this place.';
COMMENT ON COLUMN news.story_timeline.delay IS 'Time between the two.';
COMMENT ON COLUMN news.story_timeline.outlet IS 'Who published it at this place.';
COMMENT ON COLUMN news.story_timeline.country IS 'Country of that publisher.';
COMMENT ON COLUMN news.story_timeline.article_id IS 'Which of the story''s texts it is.';
COMMENT ON COLUMN news.story_timeline.url IS 'Address.';
COMMENT ON COLUMN news.story_timeline.title IS 'Title at this place.';
COMMENT ON COLUMN news.story_timeline.relation IS 'first; same_words (as the first); same_text (all but the same), '
    'syndicated (cut or edited); linked (a copy of another copy).';
COMMENT ON COLUMN news.story_timeline.similarity IS 'Share of runs of three words that it and the first one have in common.';
COMMENT ON COLUMN news.story_timeline.containment IS 'Share of the shorter one''s runs that the other has.';

CREATE OR REPLACE VIEW news.story_outlets AS
SELECT t.story_id, t.outlet, t.country, t.story_published_at, count(*) AS places, min(t.published_at) AS published_at,
       min(t.delay) AS delay, bool_or(t.relation = 'first') AS was_first
FROM news.story_timeline t
GROUP BY t.story_id, t.outlet, t.country, t.story_published_at;

COMMENT ON VIEW news.story_outlets IS 'A story at a publisher per row: who was first, and how long the others took.';
COMMENT ON COLUMN news.story_outlets.story_id IS 'The story.';
COMMENT ON COLUMN news.story_outlets.outlet IS 'A publisher of it.';
COMMENT ON COLUMN news.story_outlets.country IS 'Its country.';
COMMENT ON COLUMN news.story_outlets.story_published_at IS 'When the story was first published by anybody. Conditions on '
    'it use an index.';
COMMENT ON COLUMN news.story_outlets.places IS 'How often this publisher published it.';
COMMENT ON COLUMN news.story_outlets.published_at IS 'When this publisher first did.';
COMMENT ON COLUMN news.story_outlets.delay IS 'Time between the two.';
COMMENT ON COLUMN news.story_outlets.was_first IS 'Whether it was the first of all.';

CREATE OR REPLACE VIEW news.coverage_daily AS
SELECT (a.published_at AT TIME ZONE 'UTC')::date AS day, a.outlet, f.country, a.language, count(*) AS articles,
       count(*) FILTER (WHERE s.first_article_id = a.id) AS firsts, sum(a.word_count) AS words
FROM news.articles a
JOIN news.entries e ON e.id = a.entry_id
JOIN news.feeds f ON f.id = e.feed_id
JOIN news.stories s ON s.id = a.story_id
GROUP BY 1, 2, 3, 4;

COMMENT ON VIEW news.coverage_daily IS 'Articles per day, publisher, country and language.';
COMMENT ON COLUMN news.coverage_daily.day IS 'Day of publication; null for articles without a date. Conditions on it use '
    'an index.';
COMMENT ON COLUMN news.coverage_daily.outlet IS 'Publisher.';
COMMENT ON COLUMN news.coverage_daily.country IS 'Its country.';
COMMENT ON COLUMN news.coverage_daily.language IS 'Language of the articles.';
COMMENT ON COLUMN news.coverage_daily.articles IS 'Number of articles.';
COMMENT ON COLUMN news.coverage_daily.firsts IS 'How many of them were the first of their story.';
COMMENT ON COLUMN news.coverage_daily.words IS 'Number of words in all of them.';

CREATE OR REPLACE VIEW news.article_changes AS
SELECT r.article_id, a.outlet, a.url, r.cause, r.seen_from, r.seen_until AS changed_at, r.title AS title_before,
       coalesce(lead(r.title) OVER following, a.title) AS title_after, r.word_count AS words_before,
       coalesce(lead(r.word_count) OVER following, a.word_count) AS words_after, r.text AS text_before,
       coalesce(lead(r.text) OVER following, a.text) AS text_after, r.edit
FROM news.article_revisions r
JOIN news.articles a ON a.id = r.article_id
WINDOW following AS (PARTITION BY r.article_id ORDER BY r.seen_until, r.id);

COMMENT ON VIEW news.article_changes IS 'A change of an article''s text or title after it was first seen, per row.';
COMMENT ON COLUMN news.article_changes.article_id IS 'The article (articles.id).';
COMMENT ON COLUMN news.article_changes.outlet IS 'Publisher.';
COMMENT ON COLUMN news.article_changes.url IS 'Address.';
COMMENT ON COLUMN news.article_changes.cause IS 'publisher, or extraction: the same page read by later rules.';
COMMENT ON COLUMN news.article_changes.seen_from IS 'Since when the former version had been seen.';
COMMENT ON COLUMN news.article_changes.changed_at IS 'When the next version was found in its place.';
COMMENT ON COLUMN news.article_changes.title_before IS 'Title before the change.';
COMMENT ON COLUMN news.article_changes.title_after IS 'Title after it.';
COMMENT ON COLUMN news.article_changes.words_before IS 'Number of words before the change.';
COMMENT ON COLUMN news.article_changes.words_after IS 'Number of words after it.';
COMMENT ON COLUMN news.article_changes.text_before IS 'Text before the change.';
COMMENT ON COLUMN news.article_changes.text_after IS 'Text after it.';
COMMENT ON COLUMN news.article_changes.edit IS 'What changed: headline, typing, numbers, wording, extended, cut or '
    'rewritten; null for changes before this was recorded.';

CREATE OR REPLACE VIEW news.feed_overview AS
SELECT f.slug AS feed, f.outlet, f.country, f.language, f.enabled, f.health, f.last_success_at, f.last_new_at,
       f.failures, f.failure, f.last_error, f.next_poll_at,
       (SELECT count(*) FROM news.feed_polls p WHERE p.feed_id = f.id AND p.polled_at > now() - interval '1 day')
           AS polls_day,
       (SELECT count(*) FROM news.feed_polls p WHERE p.feed_id = f.id AND p.polled_at > now() - interval '1 day'
            AND p.outcome = 'failed') AS failed_day,
       (SELECT coalesce(sum(p.new_entries), 0) FROM news.feed_polls p WHERE p.feed_id = f.id AND p.outcome = 'new'
            AND p.polled_at > now() - interval '7 days') AS new_week,
       ARRAY(SELECT al.kind FROM news.alerts al WHERE al.feed_id = f.id AND al.ended_at IS NULL ORDER BY al.kind)
           AS open_alerts
FROM news.feeds f;

COMMENT ON VIEW news.feed_overview IS 'A feed per row: how it stands, and what it brought lately.';
COMMENT ON COLUMN news.feed_overview.feed IS 'Id of the feed, as in feeds.yaml.';
COMMENT ON COLUMN news.feed_overview.outlet IS 'Publisher.';
COMMENT ON COLUMN news.feed_overview.country IS 'Its country.';
COMMENT ON COLUMN news.feed_overview.language IS 'Language of the feed, as configured.';
COMMENT ON COLUMN news.feed_overview.enabled IS 'Whether it is polled.';
COMMENT ON COLUMN news.feed_overview.health IS 'waiting, ok, failing, gone or disabled.';
COMMENT ON COLUMN news.feed_overview.last_success_at IS 'When a poll last succeeded.';
COMMENT ON COLUMN news.feed_overview.last_new_at IS 'When a poll last found something new.';
COMMENT ON COLUMN news.feed_overview.failures IS 'Failed polls since.';
COMMENT ON COLUMN news.feed_overview.failure IS 'Kind of the last failure.';
COMMENT ON COLUMN news.feed_overview.last_error IS 'What it was.';
COMMENT ON COLUMN news.feed_overview.next_poll_at IS 'When it is polled next.';
COMMENT ON COLUMN news.feed_overview.polls_day IS 'Polls in the last 24 hours.';
COMMENT ON COLUMN news.feed_overview.failed_day IS 'How many of them failed.';
COMMENT ON COLUMN news.feed_overview.new_week IS 'New entries in the last seven days.';
COMMENT ON COLUMN news.feed_overview.open_alerts IS 'What is wrong with it at present, as in alerts.kind.';

CREATE OR REPLACE VIEW news.ledger_daily AS
SELECT (e.discovered_at AT TIME ZONE 'UTC')::date AS day, f.slug AS feed, f.outlet, e.status, count(*) AS entries
FROM news.entries e
JOIN news.feeds f ON f.id = e.feed_id
WHERE e.discovered_at >= now() - interval '90 days'
GROUP BY 1, 2, 3, 4;

COMMENT ON VIEW news.ledger_daily IS 'What became of the items that feeds brought in the last 90 days, per day and feed. '
    'Older ones: the table entries.';
COMMENT ON COLUMN news.ledger_daily.day IS 'Day on which the items were first seen.';
COMMENT ON COLUMN news.ledger_daily.feed IS 'Id of the feed.';
COMMENT ON COLUMN news.ledger_daily.outlet IS 'Publisher.';
COMMENT ON COLUMN news.ledger_daily.status IS 'landed, duplicate, off_topic, rejected, dead; discovered, fetched and '
    'extracted are on their way.';
COMMENT ON COLUMN news.ledger_daily.entries IS 'Number of items.';

CREATE OR REPLACE VIEW news.alerts_open AS
SELECT al.id AS alert_id, f.slug AS feed, f.outlet, al.kind, al.started_at, al.said, al.evidence
FROM news.alerts al
LEFT JOIN news.feeds f ON f.id = al.feed_id
WHERE al.ended_at IS NULL;

COMMENT ON VIEW news.alerts_open IS 'What is wrong with sources and with the pipeline itself: a row each, until it is over.';
COMMENT ON COLUMN news.alerts_open.alert_id IS 'The alert (alerts.id).';
COMMENT ON COLUMN news.alerts_open.feed IS 'Id of the feed; null for the pipeline itself.';
COMMENT ON COLUMN news.alerts_open.outlet IS 'Publisher; null for the pipeline itself.';
COMMENT ON COLUMN news.alerts_open.kind IS 'What is wrong, as in alerts.kind.';
COMMENT ON COLUMN news.alerts_open.started_at IS 'Since when.';
COMMENT ON COLUMN news.alerts_open.said IS 'A sentence that says it.';
COMMENT ON COLUMN news.alerts_open.evidence IS 'The numbers it rests on.';
