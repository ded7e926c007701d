-- Members with an address on every channel.
INSERT INTO messaging_contact
    (organization_id, external_id, name, phone, email, telegram_chat_id, country,
     language, tags, opted_out_channels, wishes_at, whatsapp_inbound_at, created_at,
     updated_at)
SELECT %(organization_id)s,
       'M' || lpad(n::text, 8, '0'),
       (ARRAY['Ama', 'Kofi', 'Esi', 'Yaw', 'Efua', 'Kwame', 'Adwoa', 'Sanne', 'Pieter',
              'Mei', 'Lars', 'Zuri'])[1 + n %% 12] || ' ' ||
       (ARRAY['Mensah', 'Owusu', 'Boateng', 'de Vries', 'Asante', 'Jansen', 'Okafor',
              'Lam', 'Berg', 'Diallo', 'Smit'])[1 + n %% 11] || ' ' || n,
       '+233' || (200000000 + n)::text,
       'member' || n || '@example.org',
       (700000000 + n)::text,
       (ARRAY['GH', 'GH', 'GH', 'NG', 'NL'])[1 + n %% 5],
       (ARRAY['en', 'en', 'fr', 'nl'])[1 + n %% 4],
       ARRAY[(ARRAY['vip', 'regular', 'new'])[1 + n %% 3], 'branch ' || n %% 40],
       CASE WHEN n %% 50 = 0 THEN ARRAY['sms'] ELSE ARRAY[]::text[] END,
       '{}',
       CASE WHEN n %% 4 = 0 THEN now() - (n %% 40) * interval '1 hour' END,
       now() - interval '60 days',
       now() - interval '60 days'
FROM generate_series(1, %(members)s) AS n
