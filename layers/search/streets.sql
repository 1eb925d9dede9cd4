-- The places of the annuaire that stand in a street.

-- The places whose address has the words of a question that names a street: all of them, as they were typed, the last one
-- perhaps unfinished. A number at the beginning is a house, and brings those there to the front. They are of a class behind
-- all that names have.
CREATE FUNCTION search.along(
    forms text[], tokens integer[], needed integer[], lon double precision, lat double precision,
    box double precision[], layers text[], wanted integer
) RETURNS SETOF search.finding
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
#variable_conflict use_column
DECLARE
    ways CONSTANT text[] := '{allee,avenue,boulevard,chemin,impasse,place,route,rue,street,زنقه,ساحه,شارع,طريق}';
    class CONSTANT integer := 20;
    last CONSTANT integer := (SELECT max(t) FROM unnest(tokens) t);
    parts text := '';
    fits text := 'true';
    house text := 'true';
    one record;
    words integer := 0;
BEGIN
    IF NOT forms && ways THEN
        RETURN;
    END IF;
    FOR one IN
        SELECT f.token, bool_and(f.form ~ '^\d+$') AS number, array_agg('%' || f.form || '%') AS within,
            -- A letter that is none of a word is none of a pattern either: a code has dots.
            string_agg(regexp_replace(f.form, '(\W)', '\\\1', 'g'), '|') AS either
        FROM unnest(forms, tokens) AS f(form, token)
        WHERE f.token = ANY (needed)
        GROUP BY f.token HAVING NOT bool_or(f.form = ANY (ways))
    LOOP
        IF one.number AND one.token = 1 THEN
            house := format('address ~ %L', '^(' || one.either || ')\M');
        ELSE
            -- Behind a word a number is a part of the street's name, in front it is a house.
            words := words + 1;
            fits := fits || format(' AND address ~ %L', CASE WHEN one.number THEN ' ' ELSE '\m(?:[وب]?ال|لل)?' END
                || '(?:' || one.either || ')' || CASE WHEN one.token = last AND NOT one.number THEN '' ELSE '\M' END);
            IF NOT one.number THEN
                parts := parts || format(' AND e.plain LIKE ANY (%L)', one.within);
            END IF;
        END IF;
    END LOOP;
    IF words = 0 THEN
        RETURN;
    END IF;
    fits := fits || search.bounds(layers, box);
    RETURN QUERY EXECUTE format(
        'SELECT t.layer, t.kind, t.id, %s, t.weight, CASE WHEN %s THEN 0 ELSE 1 END::real, 1::smallint, ''[]''::jsonb, 0, d.distance '
        -- What stands behind a comma is the town.
        'FROM (SELECT e.id, search.written(concat_ws('' '', split_part(e.address_fr, '','', 1), e.address_ar)) AS address '
        'FROM directory.entries e WHERE coalesce(e.address_fr, e.address_ar) IS NOT NULL%s LIMIT 2000) e '
        'JOIN search.things t ON t.entry = e.id, LATERAL (SELECT CASE WHEN %s THEN public.ST_Distance(public.geography(t.geom), '
        'public.geography(public.ST_SetSRID(public.ST_MakePoint(%s, %s), 4326))) END AS distance) d '
        'WHERE %s ORDER BY 6, t.weight DESC, d.distance, t.layer, t.id LIMIT %s',
        class, house, parts, (lon IS NOT NULL)::text, coalesce(lon, 0), coalesce(lat, 0), fits, wanted);
END $$;
