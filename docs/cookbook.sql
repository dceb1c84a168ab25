-- name: The newest articles
SELECT published_at, outlet, title, url
FROM news.articles_flat
ORDER BY published_at DESC NULLS LAST
LIMIT 20;

-- name: Articles of a day, each story once
SELECT published_at, outlet, country, title, story_size
FROM news.articles_flat
WHERE published_on = date '2026-10-15' AND first_of_story
ORDER BY published_at;

-- name: Search in all forms of the words
-- Words in any form; `=word` and "quotes" as they are spelled, word*, "near words"~5, OR, - for without. The best come first.
SELECT published_at, outlet, title, snippet, rank
FROM news.search('انسحاب القوات -سوريا', since => '2026-09-01', rows => 20);

-- name: How often two words come together, by month
SELECT date_trunc('month', a.published_at)::date AS month, count(*) AS articles
FROM news.articles a
WHERE a.search @@ news.search_query('انسحاب مستشارين')
GROUP BY 1
ORDER BY 1;

-- name: How many articles a search finds
SELECT news.search_count('انسحاب القوات -سوريا', since => '2026-09-01');

-- name: Words that tell one week from the three before
-- How often per thousand words, and before (keyness). It takes a second for a thousand articles.
WITH counted AS (
    SELECT a.published_at >= '2026-10-25' AS late, l.lemma, sum(l.occurrences) AS times
    FROM news.articles a, news.lemmas(a.id) AS l
    WHERE a.published_at BETWEEN '2026-10-04' AND '2026-11-01' AND a.language = 'ar'
    GROUP BY 1, 2
), shares AS (
    SELECT late, lemma, times, 1000 * times / sum(times) OVER (PARTITION BY late) AS per_thousand FROM counted
)
SELECT week.lemma, week.times, round(week.per_thousand, 2) AS per_thousand, round(before.per_thousand, 2) AS before
FROM shares AS week LEFT JOIN shares AS before ON before.lemma = week.lemma AND NOT before.late
WHERE week.late AND week.times >= 3
ORDER BY week.per_thousand / greatest(before.per_thousand, 0.01) DESC, week.times DESC
LIMIT 20;

-- name: Coverage per day
SELECT day, sum(articles) AS articles, sum(firsts) AS stories
FROM news.coverage_daily
WHERE day BETWEEN date '2026-10-01' AND date '2026-10-31'
GROUP BY day
ORDER BY day;

-- name: Who covers it most, by country and language
SELECT country, language, outlet, sum(articles) AS articles, round(sum(words) / sum(articles)) AS words_each
FROM news.coverage_daily
WHERE day >= date '2026-10-01' AND day < date '2026-11-01'
GROUP BY country, language, outlet
ORDER BY articles DESC, outlet
LIMIT 30;

-- name: Coverage in Arabic and in English, week by week
SELECT date_trunc('week', day)::date AS week,
       sum(articles) FILTER (WHERE language = 'ar') AS arabic,
       sum(articles) FILTER (WHERE language = 'en') AS english
FROM news.coverage_daily
WHERE day >= date '2026-08-01'
GROUP BY week
ORDER BY week;

-- name: Stories with the widest reprint
SELECT story_published_at, first_outlet, title, articles, places, outlets
FROM news.story_overview
WHERE story_published_at >= timestamptz '2026-10-01'
ORDER BY outlets DESC, places DESC, story_published_at
LIMIT 20;

-- name: How a story went from outlet to outlet
SELECT t.published_at, t.delay, t.outlet, t.relation, round(t.similarity::numeric, 2) AS similarity, t.title
FROM news.story_timeline t
WHERE t.story_id = (SELECT s.id FROM news.stories s ORDER BY s.size DESC, s.id LIMIT 1)
ORDER BY t.published_at NULLS LAST, t.url;

-- name: Who publishes first, and how long the others take
SELECT outlet, count(*) AS stories, count(*) FILTER (WHERE was_first) AS first,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY delay) FILTER (WHERE NOT was_first) AS median_delay
FROM news.story_outlets
WHERE story_published_at >= timestamptz '2026-10-15' AND story_published_at < timestamptz '2026-11-01'
GROUP BY outlet
HAVING count(*) >= 3
ORDER BY first DESC, outlet;

-- name: Who copies whom
SELECT other.outlet AS copied_by, first.outlet AS published_by, count(*) AS stories,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY other.delay) AS median_delay
FROM news.story_outlets first
JOIN news.story_outlets other ON other.story_id = first.story_id AND NOT other.was_first
WHERE first.was_first AND first.story_published_at >= timestamptz '2026-10-25'
  AND first.story_published_at < timestamptz '2026-11-01'
  AND other.story_published_at >= timestamptz '2026-10-25' AND other.story_published_at < timestamptz '2026-11-01'
GROUP BY 1, 2
ORDER BY stories DESC, copied_by, published_by
LIMIT 20;

-- name: What agencies provide
SELECT agency, count(*) AS articles, count(DISTINCT outlet) AS outlets
FROM news.articles_flat
WHERE published_on >= date '2026-10-01' AND agency IS NOT NULL
GROUP BY agency
ORDER BY articles DESC;

-- name: Articles on a topic, the surest first
SELECT a.published_at, a.outlet, a.title, t.score, t.matched
FROM news.article_topics t
JOIN news.articles a ON a.id = t.article_id
WHERE t.topic = 'iraq-withdrawal' AND a.published_at >= timestamptz '2026-10-25'
ORDER BY t.score DESC, a.published_at DESC
LIMIT 20;

-- name: How sure the dates are
SELECT coalesce(published_from, 'no date') AS source, count(*) AS articles
FROM news.articles
WHERE landed_at >= timestamptz '2026-10-01'
GROUP BY 1
ORDER BY articles DESC;

-- name: What publishers changed after the fact
SELECT changed_at, outlet, title_before, title_after, words_before, words_after, url
FROM news.article_changes
WHERE cause = 'publisher' AND changed_at >= timestamptz '2026-10-01'
ORDER BY changed_at DESC
LIMIT 20;

-- name: What became of everything the feeds brought
SELECT day, sum(entries) FILTER (WHERE status = 'landed') AS landed,
       sum(entries) FILTER (WHERE status = 'duplicate') AS duplicate,
       sum(entries) FILTER (WHERE status = 'off_topic') AS off_topic,
       sum(entries) FILTER (WHERE status IN ('rejected', 'dead')) AS lost
FROM news.ledger_daily
GROUP BY day
ORDER BY day DESC
LIMIT 14;

-- name: Why items came to nothing
SELECT e.status, e.reason, count(*) AS entries
FROM news.entries e
WHERE e.discovered_at >= timestamptz '2026-10-25' AND e.status IN ('rejected', 'dead')
GROUP BY e.status, e.reason
ORDER BY entries DESC
LIMIT 20;

-- name: Feeds that need attention
SELECT feed, outlet, health, open_alerts, last_new_at, failed_day, polls_day, last_error
FROM news.feed_overview
WHERE enabled AND (health <> 'ok' OR cardinality(open_alerts) > 0)
ORDER BY last_new_at NULLS FIRST, feed;

-- name: How long articles take from publication to this database
SELECT outlet, count(*) AS articles,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY landed_at - published_at) AS median,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY landed_at - published_at) AS slowest_twentieth
FROM news.articles
WHERE published_at >= timestamptz '2026-10-25' AND published_from = 'feed'
GROUP BY outlet
ORDER BY median DESC;

-- name: All places where one article was published, word for word
SELECT outlet, country, published_at, seen_at, original, url
FROM news.article_places
WHERE article_id = (SELECT max(id) FROM news.articles)
ORDER BY published_at NULLS LAST;
