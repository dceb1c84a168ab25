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
